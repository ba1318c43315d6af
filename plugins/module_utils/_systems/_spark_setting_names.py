# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of Spark 4.3.0 by their types. Written by tests/tools/spark_settings.py: do not edit."""

from __future__ import annotations

from collections.abc import Mapping

# A type may name the least value
SETTINGS: Mapping[str, str] = {
    "boolean": """
        spark.acls.enable spark.appStateStore.asyncTracking.enable spark.authenticate spark.authenticate.enableSaslEncryption
        spark.broadcast.checksum spark.broadcast.compress spark.checkpoint.compress spark.checkpoint.local.verifyChecksum.enabled
        spark.checkpoint.local.verifyChecksum.forceSerialized spark.cleaner.referenceTracking spark.cleaner.referenceTracking.blocking
        spark.cleaner.referenceTracking.blocking.shuffle spark.cleaner.referenceTracking.cleanCheckpoints spark.decommission.enabled
        spark.deploy.spreadOutApps spark.deploy.spreadOutDrivers spark.driver.limitActiveProcessorCount.enabled spark.driver.log.allowErasureCoding
        spark.driver.log.persistToDfs.enabled spark.driver.supervise spark.driver.userClassPathFirst spark.dynamicAllocation.enabled
        spark.dynamicAllocation.shuffleTracking.enabled spark.dynamicAllocation.testing spark.eventLog.compress spark.eventLog.enabled
        spark.eventLog.erasureCoding.enabled spark.eventLog.includeTaskMetricsAccumulators spark.eventLog.logBlockUpdates.enabled
        spark.eventLog.logStageExecutorMetrics spark.eventLog.longForm.enabled spark.eventLog.overwrite spark.eventLog.rolling.enabled
        spark.eventLog.testing spark.excludeOnFailure.application.enabled spark.excludeOnFailure.application.fetchFailure.enabled
        spark.excludeOnFailure.enabled spark.excludeOnFailure.killExcludedExecutors spark.excludeOnFailure.killExcludedExecutors.decommission
        spark.excludeOnFailure.taskAndStage.enabled spark.executor.allowSparkContext spark.executor.heartbeat.dropZeroAccumulatorUpdates
        spark.executor.limitActiveProcessorCount.enabled spark.executor.logs.rolling.enableCompression spark.executor.processTreeMetrics.enabled
        spark.executor.python.worker.log.details spark.executor.syncLogLevel.enabled spark.executor.userClassPathFirst spark.file.transferTo
        spark.files.fetchFailure.unRegisterOutputOnHost spark.files.ignoreCorruptFiles spark.files.ignoreMissingFiles
        spark.hadoopRDD.ignoreEmptySplits spark.history.custom.executor.log.url.applyIncompleteApplication spark.history.fs.cleaner.enabled
        spark.history.fs.driverlog.cleaner.enabled spark.history.fs.eventLog.onDemandLoadEnabled
        spark.history.fs.eventLog.rolling.onDemandLoadEnabled spark.history.fs.inProgressOptimization.enabled spark.history.kerberos.enabled
        spark.history.store.hybridStore.enabled spark.history.ui.acls.enable spark.io.compression.lzf.parallel.enabled
        spark.io.compression.zstd.bufferPool.enabled spark.io.encryption.enabled spark.kryo.pool spark.kryo.referenceTracking
        spark.kryo.registrationRequired spark.kryo.unsafe spark.locality.wait.legacyResetOnTaskLaunch spark.log.legacyTaskNameMdc.enabled
        spark.log.structuredLogging.enabled spark.master.rest.enabled spark.master.rest.virtualThread.enabled spark.master.useAppNameAsAppId.enabled
        spark.master.useDriverIdAsAppName.enabled spark.memory.offHeap.enabled spark.metrics.appStatusSource.enabled
        spark.metrics.executorMetricsSource.enabled spark.metrics.staticSources.enabled spark.network.crypto.enabled
        spark.network.crypto.saslFallback spark.network.recreateWorkerGroupOnDeadEventLoop spark.network.remoteReadNioBufferConversion
        spark.python.daemon.killWorkerOnFlushFailure spark.python.sql.dataFrameDebugging.enabled spark.python.udf.pipelined.enabled
        spark.python.unix.domain.socket.enabled spark.python.use.daemon spark.python.worker.faulthandler.enabled
        spark.python.worker.killOnIdleTimeout spark.python.worker.reuse spark.rdd.cache.visibilityTracking.enabled spark.rdd.compress
        spark.resources.warnings.testing spark.scheduler.dropTaskInfoAccumulablesOnTaskCompletion.enabled spark.scheduler.listenerbus.logSlowEvent
        spark.scheduler.pipelinedGroup.slotCheck.enabled spark.scheduler.resource.profileMergeConflicts
        spark.scheduler.stage.legacyAbortAfterKillTasks spark.scheduler.streaming.idAwareLogging.enabled
        spark.security.directCredentialProviders.enabled spark.serializer.extraDebugInfo spark.shuffle.checksum.enabled spark.shuffle.compress
        spark.shuffle.detectCorrupt spark.shuffle.detectCorrupt.useExtraMemory spark.shuffle.push.enabled spark.shuffle.readHostLocalDisk
        spark.shuffle.reduceLocality.enabled spark.shuffle.service.db.enabled spark.shuffle.service.enabled spark.shuffle.service.fetch.rdd.enabled
        spark.shuffle.service.removeShuffle spark.shuffle.sort.useRadixSort spark.shuffle.spill.compress spark.shuffle.streaming.checksum.enabled
        spark.shuffle.sync spark.shuffle.unsafe.fastMergeEnabled spark.shuffle.useOldFetchProtocol spark.speculation
        spark.speculation.efficiency.enabled spark.sql.adaptive.applyFinalStageShuffleOptimizations spark.sql.adaptive.coalescePartitions.enabled
        spark.sql.adaptive.coalescePartitions.parallelismFirst spark.sql.adaptive.convertSortMergeJoinToShuffledHashJoin.enabled
        spark.sql.adaptive.convertSortMergeJoinToShuffledHashJoin.lookThroughOperators.enabled
        spark.sql.adaptive.costEvaluator.countLocalSort.enabled spark.sql.adaptive.enabled spark.sql.adaptive.fetchShuffleBlocksInBatch
        spark.sql.adaptive.forceApply spark.sql.adaptive.forceOptimizeSkewedJoin spark.sql.adaptive.localShuffleReader.enabled
        spark.sql.adaptive.optimizeSkewsInRebalancePartitions.enabled spark.sql.adaptive.skewJoin.enabled
        spark.sql.adaptive.streaming.stateless.enabled spark.sql.allowNamedFunctionArguments spark.sql.alwaysInlineCommonExpr
        spark.sql.analyzer.allowSubqueryExpressionsInLambdasOrHigherOrderFunctions spark.sql.analyzer.dontDeduplicateExpressionIfExprIdInOutput
        spark.sql.analyzer.expandTagPassthroughDuplicates spark.sql.analyzer.failAmbiguousSelfJoin
        spark.sql.analyzer.lowerEmptyGroupingSetToGlobalAggregate.enabled spark.sql.analyzer.preferColumnOverLcaInArrayIndex
        spark.sql.analyzer.scalarSubqueryAllowGroupByColumnEqualToConstant spark.sql.analyzer.singlePassResolver.dualRunWithLegacy
        spark.sql.analyzer.singlePassResolver.enableAsOfJoinResolution spark.sql.analyzer.singlePassResolver.enabled
        spark.sql.analyzer.singlePassResolver.enabledTentatively spark.sql.analyzer.singlePassResolver.exposeResolverGuardFailure
        spark.sql.analyzer.singlePassResolver.preventUsingAliasesFromNonDirectChildren
        spark.sql.analyzer.singlePassResolver.relationBridging.enabled spark.sql.analyzer.singlePassResolver.returnSinglePassResultInDualRun
        spark.sql.analyzer.singlePassResolver.runExtendedResolutionChecks spark.sql.analyzer.singlePassResolver.runHeavyExtendedResolutionChecks
        spark.sql.analyzer.singlePassResolver.throwFromResolverGuard spark.sql.analyzer.singlePassResolver.validationEnabled
        spark.sql.analyzer.sqlFunctionResolution.applyConfOverrides spark.sql.analyzer.strictDataFrameColumnResolution
        spark.sql.analyzer.subqueryAliasAlwaysPropagateMetadataColumns spark.sql.analyzer.unionIsResolvedWhenDuplicatesPerChildResolved
        spark.sql.analyzer.uniqueNecessaryMetadataColumns spark.sql.ansi.doubleQuotedIdentifiers spark.sql.ansi.enabled
        spark.sql.ansi.enforceReservedKeywords spark.sql.ansi.relationPrecedence spark.sql.artifact.copyFromLocalToFs.allowDestLocal
        spark.sql.artifact.isolation.alwaysApplyClassloader spark.sql.artifact.isolation.enabled spark.sql.assumeAnsiFalseIfNotPersisted.enabled
        spark.sql.avro.filterPushdown.enabled spark.sql.avro.zstandard.bufferPool.enabled spark.sql.binByRelationOperator.enabled
        spark.sql.bucketing.coalesceBucketsInJoin.enabled spark.sql.caseSensitive spark.sql.cbo.enabled spark.sql.cbo.joinReorder.dp.star.filter
        spark.sql.cbo.joinReorder.enabled spark.sql.cbo.planStats.enabled spark.sql.cbo.starSchemaDetection spark.sql.charAsVarchar
        spark.sql.chunkBase64String.enabled spark.sql.classic.shuffleDependency.fileCleanup.enabled spark.sql.cli.print.header
        spark.sql.codegen.aggregate.map.twolevel.enabled spark.sql.codegen.aggregate.map.twolevel.partialOnly
        spark.sql.codegen.aggregate.map.vectorized.enable spark.sql.codegen.aggregate.sortAggregate.enabled
        spark.sql.codegen.aggregate.sortAggregate.withKeys.enabled spark.sql.codegen.aggregate.splitAggregateFunc.enabled spark.sql.codegen.comments
        spark.sql.codegen.fallback spark.sql.codegen.join.buildSideOuterShuffledHashJoin.enabled
        spark.sql.codegen.join.existenceSortMergeJoin.enabled spark.sql.codegen.join.fullOuterShuffledHashJoin.enabled
        spark.sql.codegen.join.fullOuterSortMergeJoin.enabled spark.sql.codegen.splitConsumeFuncByOperator spark.sql.codegen.useIdInClassName
        spark.sql.codegen.wholeStage spark.sql.codegen.wholeStage.union.enabled spark.sql.collation.allowInMapKeys
        spark.sql.collation.objectLevel.enabled spark.sql.collation.schemaLevel.enabled spark.sql.columnVector.offheap.enabled
        spark.sql.connect.shuffleDependency.fileCleanup.enabled spark.sql.connect.streaming.foreachBatch.useClonedSession
        spark.sql.constraintPropagation.enabled spark.sql.crossJoin.enabled spark.sql.csv.filterPushdown.enabled
        spark.sql.csv.parser.columnPruning.enabled spark.sql.cteRelationDefMaxRows.enabled spark.sql.dataFrameQueryContext.enabled
        spark.sql.dataSource.alwaysCreateV2Predicate spark.sql.dataSource.skipAssertOnPredicatePushdown spark.sql.datetime.java8API.enabled
        spark.sql.debug spark.sql.decimalOperations.allowPrecisionLoss spark.sql.defaultColumn.enabled
        spark.sql.defaultColumn.useNullsForMissingDefaultValues spark.sql.defaultUrlStreamHandlerFactory.enabled
        spark.sql.dropDuplicates.deterministicKeyOrder.enabled spark.sql.dropTableOnView.enabled
        spark.sql.enforceTypeCoercionBeforeUnionDeduplication.enabled spark.sql.exchange.reuse spark.sql.execution.arrow.cache.prefetch.enabled
        spark.sql.execution.arrow.enabled spark.sql.execution.arrow.fallback.enabled spark.sql.execution.arrow.pyspark.enabled
        spark.sql.execution.arrow.pyspark.fallback.enabled spark.sql.execution.arrow.pyspark.selfDestruct.enabled
        spark.sql.execution.arrow.pyspark.validateSchema.enabled spark.sql.execution.arrow.pythonUDF.columnarInput.enabled
        spark.sql.execution.arrow.sparkr.enabled spark.sql.execution.arrow.useLargeVarTypes spark.sql.execution.bypassPartialAggregation
        spark.sql.execution.combineAdjacentAggregation spark.sql.execution.datasources.hadoopLineRecordReader.enabled
        spark.sql.execution.fastFailOnFileFormatOutput spark.sql.execution.interruptOnCancel spark.sql.execution.pandas.convertToArrowArraySafely
        spark.sql.execution.pandas.inferPandasDictAsMap spark.sql.execution.pushDownLocalSort
        spark.sql.execution.pushDownLocalSort.throughCardinalityReducer spark.sql.execution.pyspark.binaryAsBytes
        spark.sql.execution.pyspark.udf.daemonKillWorkerOnFlushFailure spark.sql.execution.pyspark.udf.faulthandler.enabled
        spark.sql.execution.pyspark.udf.hideTraceback.enabled spark.sql.execution.pyspark.udf.killOnIdleTimeout
        spark.sql.execution.pyspark.udf.simplifiedTraceback.enabled spark.sql.execution.pyspark.udf.tracebackWithLocals.enabled
        spark.sql.execution.pythonUDF.arrow.enabled spark.sql.execution.pythonUDF.arrow.legacy.fallbackOnUDT
        spark.sql.execution.pythonUDF.mapInBatch.legacy.acceptAnyIterable.enabled spark.sql.execution.pythonUDF.pandas.intToDecimalCoercionEnabled
        spark.sql.execution.pythonUDF.pandas.preferIntExtensionDtype spark.sql.execution.pythonUDTF.arrow.enabled
        spark.sql.execution.removeRedundantProjects spark.sql.execution.removeRedundantSorts spark.sql.execution.replaceHashWithSortAgg
        spark.sql.execution.reuseSubquery spark.sql.execution.sortBeforeRepartition spark.sql.execution.udf.unified.execution.enabled
        spark.sql.execution.useHashAggregateExec spark.sql.execution.useObjectHashAggregateExec spark.sql.execution.usePartitionEvaluator
        spark.sql.experimental.optimizer.transpilePyUDFs spark.sql.extensions.test.loadFromCp spark.sql.fileSource.insert.enforceNotNull
        spark.sql.files.archive.reader.enabled spark.sql.files.ignoreCorruptFiles spark.sql.files.ignoreInvalidPartitionPaths
        spark.sql.files.ignoreMissingFiles spark.sql.files.supportSecondOffsetFormat spark.sql.function.concatBinaryAsString
        spark.sql.function.eltOutputAsString spark.sql.function.protobufExtensions.enabled spark.sql.generatedColumn.allowNullableIngest.enabled
        spark.sql.geospatial.enabled spark.sql.groupByAliases spark.sql.groupByOrdinal spark.sql.hive.advancedPartitionPredicatePushdown.enabled
        spark.sql.hive.convertCTAS spark.sql.hive.dropPartitionByName.enabled spark.sql.hive.gatherFastStats
        spark.sql.hive.manageFilesourcePartitions spark.sql.hive.metastorePartitionPruning
        spark.sql.hive.metastorePartitionPruningFallbackOnException spark.sql.hive.metastorePartitionPruningFastFallback
        spark.sql.hive.showCreateTableAsSerde spark.sql.hive.thriftServer.http.sniHostCheckEnabled spark.sql.hive.thriftServer.singleSession
        spark.sql.icu.caseMappings.enabled spark.sql.inMemoryColumnarStorage.compressed spark.sql.inMemoryColumnarStorage.enableVectorizedReader
        spark.sql.inMemoryColumnarStorage.partitionPruning spark.sql.inMemoryTableScanStatistics.enable spark.sql.insertIntoReplaceOn.enabled
        spark.sql.insertIntoReplaceOnByName.enabled spark.sql.insertIntoReplaceUsing.enabled spark.sql.insertIntoReplaceUsingByName.enabled
        spark.sql.insertIntoReplaceWhereColumnList.enabled spark.sql.insertNestedTypeCoercion.enabled spark.sql.join.asofJoin.enabled
        spark.sql.join.preferSortMergeJoin spark.sql.join.sortMergeAsOfJoin.enabled spark.sql.join.splitStreamedSideJoinCondition
        spark.sql.json.enableExactStringParsing spark.sql.json.enablePartialResults spark.sql.json.filterPushdown.enabled
        spark.sql.json.useUnsafeRow spark.sql.jsonGenerator.ignoreNullFields spark.sql.jsonGenerator.writeNullIfWithDefaultValue
        spark.sql.lateralColumnAlias.enableImplicitResolution spark.sql.lazySetOperatorOutput.enabled spark.sql.legacy.addSingleFileInAddFile
        spark.sql.legacy.allowAutoGeneratedAliasForView spark.sql.legacy.allowEmptySchemaWrite spark.sql.legacy.allowHashOnMapType
        spark.sql.legacy.allowNegativeScaleOfDecimal spark.sql.legacy.allowNonEmptyLocationInCTAS
        spark.sql.legacy.allowNullComparisonResultInArraySort spark.sql.legacy.allowParameterlessCount
        spark.sql.legacy.allowSessionVariableInPersistedView spark.sql.legacy.allowStarWithSingleTableIdentifierInCount
        spark.sql.legacy.allowTempViewCreationWithMultipleNameparts spark.sql.legacy.allowUdfParameterToShadowParameterlessFunction
        spark.sql.legacy.allowUntypedScalaUDF spark.sql.legacy.allowZeroIndexInFormatString spark.sql.legacy.avro.allowIncompatibleSchema
        spark.sql.legacy.bangEqualsNot spark.sql.legacy.blockCreateTempTableUsingProvider spark.sql.legacy.bucketedTableScan.outputOrdering
        spark.sql.legacy.castComplexTypesToString.enabled spark.sql.legacy.charVarcharAsString spark.sql.legacy.codingErrorAction
        spark.sql.legacy.collationAwareHashFunctions spark.sql.legacy.consecutiveStringLiterals.enabled
        spark.sql.legacy.createEmptyCollectionUsingStringType spark.sql.legacy.createHiveTableByDefault
        spark.sql.legacy.csv.enableDateTimeParsingFallback spark.sql.legacy.cteDuplicateAttributeNames
        spark.sql.legacy.dataFrameWriterV2IgnorePathOption spark.sql.legacy.dataset.nameNonStructGroupingKeyAsValue
        spark.sql.legacy.db2.booleanMapping.enabled spark.sql.legacy.db2.numericMapping.enabled
        spark.sql.legacy.decimal.retainFractionDigitsOnTruncate spark.sql.legacy.disableMapKeyNormalization spark.sql.legacy.doLooseUpcast
        spark.sql.legacy.duplicateBetweenInput spark.sql.legacy.earlyEvalCurrentTime spark.sql.legacy.emptyCurrentDBInCli
        spark.sql.legacy.execution.pandas.groupedMap.assignColumnsByName spark.sql.legacy.execution.pythonUDF.pandas.conversion.enabled
        spark.sql.legacy.execution.pythonUDTF.pandas.conversion.enabled spark.sql.legacy.exponentLiteralAsDecimal.enabled
        spark.sql.legacy.extraOptionsBehavior.enabled spark.sql.legacy.followThreeValuedLogicInArrayExists
        spark.sql.legacy.fromDayTimeString.enabled spark.sql.legacy.groupingIdWithAppendedUserGroupBy
        spark.sql.legacy.histogramNumericPropagateInputType spark.sql.legacy.hive.thriftServer.allowSettingSystemProperties
        spark.sql.legacy.identifierClause spark.sql.legacy.inSubqueryNullability spark.sql.legacy.inlineCTEInCommands
        spark.sql.legacy.integerGroupingId spark.sql.legacy.interval.enabled spark.sql.legacy.javaCharsets spark.sql.legacy.jdbc.timeMapping.enabled
        spark.sql.legacy.json.allowEmptyString.enabled spark.sql.legacy.json.enableDateTimeParsingFallback spark.sql.legacy.keepCommandOutputSchema
        spark.sql.legacy.keepPartitionSpecAsStringLiteral spark.sql.legacy.literal.pickMinimumPrecision spark.sql.legacy.lpadRpadAlwaysReturnString
        spark.sql.legacy.mssqlserver.datetimeoffsetMapping.enabled spark.sql.legacy.mssqlserver.numericMapping.enabled
        spark.sql.legacy.mysql.bitArrayMapping.enabled spark.sql.legacy.mysql.timestampNTZMapping.enabled
        spark.sql.legacy.negativeIndexInArrayInsert spark.sql.legacy.noCharPaddingInPredicate spark.sql.legacy.notReserveProperties
        spark.sql.legacy.nullInEmptyListBehavior spark.sql.legacy.nullValueWrittenAsQuotedEmptyStringCsv
        spark.sql.legacy.observeMetricsAggregateAllAttempts spark.sql.legacy.oracle.timestampMapping.enabled
        spark.sql.legacy.parameterSubstitution.constantsOnly spark.sql.legacy.parquet.nanosAsLong
        spark.sql.legacy.parquet.returnNullStructIfAllFieldsMissing spark.sql.legacy.parseNullPartitionSpecAsStringLiteral
        spark.sql.legacy.parseQueryWithoutEof spark.sql.legacy.parser.havingWithoutGroupByAsWhere spark.sql.legacy.pathOptionBehavior.enabled
        spark.sql.legacy.percentileDiscCalculation spark.sql.legacy.persistentCatalogFirst spark.sql.legacy.postgres.datetimeMapping.enabled
        spark.sql.legacy.raiseErrorWithoutErrorClass spark.sql.legacy.readFileSourceTableCacheIgnoreOptions
        spark.sql.legacy.replaceDatabricksSparkAvro.enabled spark.sql.legacy.respectNullabilityInTextDatasetConversion
        spark.sql.legacy.scalarSubqueryAllowGroupByNonEqualityCorrelatedPredicate spark.sql.legacy.scalarSubqueryCountBugBehavior
        spark.sql.legacy.sessionInitWithConfigDefaults spark.sql.legacy.setCommandRejectsSparkCoreConfs spark.sql.legacy.setopsPrecedence.enabled
        spark.sql.legacy.sizeOfNull spark.sql.legacy.skipTypeValidationOnAlterPartition spark.sql.legacy.statisticalAggregate
        spark.sql.legacy.storeAnalyzedPlanForView spark.sql.legacy.truncateForEmptyRegexSplit spark.sql.legacy.typeCoercion.datetimeToString.enabled
        spark.sql.legacy.useCurrentConfigsForView spark.sql.legacy.useLegacyXMLParser spark.sql.legacy.useV1Command
        spark.sql.legacy.v1IdentifierNoCatalog spark.sql.legacy.viewSchemaBindingMode spark.sql.legacy.viewSchemaCompensation
        spark.sql.lightweightPlanChangeValidation spark.sql.listagg.allowDistinctCastWithOrder.enabled spark.sql.mapZipWithUsesJavaCollections
        spark.sql.mergeNestedTypeCoercion.enabled spark.sql.operatorPipeSyntaxEnabled spark.sql.optimizeNullAwareAntiJoin
        spark.sql.optimizer.avoidCollapseUDFWithExpensiveExpr spark.sql.optimizer.avoidDoubleFilterEval
        spark.sql.optimizer.canChangeCachedPlanOutputPartitioning spark.sql.optimizer.collapseProjectAlwaysInline
        spark.sql.optimizer.datasourceV2JoinPushdown spark.sql.optimizer.decorrelateExistsSubqueryLegacyIncorrectCountHandling.enabled
        spark.sql.optimizer.decorrelateInnerQuery.enabled spark.sql.optimizer.decorrelateJoinPredicate.enabled
        spark.sql.optimizer.decorrelateLimit.enabled spark.sql.optimizer.decorrelateLimitOffsetLegacyIncorrectOrderHandling.enabled
        spark.sql.optimizer.decorrelateOffset.enabled spark.sql.optimizer.decorrelatePredicateSubqueriesInJoinPredicate.enabled
        spark.sql.optimizer.decorrelateSetOps.enabled spark.sql.optimizer.decorrelateSubqueryLegacyIncorrectCountHandling.enabled
        spark.sql.optimizer.decorrelateSubqueryPreventConstantHoldingForCountBug.enabled
        spark.sql.optimizer.decorrelateUnionOrSetOpUnderLimit.enabled spark.sql.optimizer.disableHints
        spark.sql.optimizer.dynamicPartitionPruning.broadcastProjection.enabled spark.sql.optimizer.dynamicPartitionPruning.enabled
        spark.sql.optimizer.dynamicPartitionPruning.reuseBroadcastOnly spark.sql.optimizer.dynamicPartitionPruning.useStats
        spark.sql.optimizer.enableCsvExpressionOptimization spark.sql.optimizer.enableJsonExpressionOptimization
        spark.sql.optimizer.excludeSubqueryRefsFromRemoveRedundantAliases.enabled spark.sql.optimizer.expression.nestedPruning.enabled
        spark.sql.optimizer.getJsonObjectSharedParsing.enabled spark.sql.optimizer.insertMapSortInDistinctAggregates.enabled
        spark.sql.optimizer.mergeSubplans.filterPropagation.dsv2SymmetricFilterPropagation.enabled
        spark.sql.optimizer.mergeSubplans.filterPropagation.enabled
        spark.sql.optimizer.mergeSubplans.filterPropagation.symmetricFilterPropagation.enabled
        spark.sql.optimizer.mergeSubplans.filterPropagation.throughJoin.enabled spark.sql.optimizer.metadataOnly
        spark.sql.optimizer.nestedSchemaPruning.enabled spark.sql.optimizer.optimizeOneRowRelationSubquery
        spark.sql.optimizer.optimizeOneRowRelationSubquery.alwaysInline spark.sql.optimizer.optimizeUncorrelatedInSubqueriesInJoinCondition.enabled
        spark.sql.optimizer.plannedWrite.enabled spark.sql.optimizer.preserveAliasMetadataWhenCollapsingProjects
        spark.sql.optimizer.propagateDistinctKeys.enabled spark.sql.optimizer.pruneFiltersCanPruneStreamingSubplan
        spark.sql.optimizer.pullHintsIntoSubqueries spark.sql.optimizer.pullOutNestedDataOuterRefExpressions.enabled
        spark.sql.optimizer.pushDownJoinThroughUnion.enabled spark.sql.optimizer.replaceExceptWithFilter
        spark.sql.optimizer.runtime.bloomFilter.enabled spark.sql.optimizer.runtime.rowLevelOperationGroupFilter.enabled
        spark.sql.optimizer.scalarSubqueryUseSingleJoin spark.sql.optimizer.serializer.nestedSchemaPruning.enabled
        spark.sql.optimizer.singleTaskExecution.aggregation spark.sql.optimizer.singleTaskExecution.enabled
        spark.sql.optimizer.singleTaskExecution.expand spark.sql.optimizer.singleTaskExecution.limitOffset
        spark.sql.optimizer.singleTaskExecution.sort spark.sql.optimizer.singleTaskExecution.window
        spark.sql.optimizer.wrapExistsInAggregateFunction spark.sql.orc.aggregatePushdown spark.sql.orc.enableNestedColumnVectorizedReader
        spark.sql.orc.enableVectorizedReader spark.sql.orc.filterPushdown spark.sql.orc.mergeSchema spark.sql.orderByOrdinal
        spark.sql.orderingAwareLimitOffset spark.sql.parquet.aggregatePushdown spark.sql.parquet.binaryAsString
        spark.sql.parquet.enableNestedColumnVectorizedReader spark.sql.parquet.enableNullTypeVectorizedReader
        spark.sql.parquet.enableVectorizedReader spark.sql.parquet.fieldId.read.enabled spark.sql.parquet.fieldId.read.ignoreMissing
        spark.sql.parquet.fieldId.write.enabled spark.sql.parquet.filterPushdown spark.sql.parquet.filterPushdown.date
        spark.sql.parquet.filterPushdown.decimal spark.sql.parquet.filterPushdown.string.startsWith spark.sql.parquet.filterPushdown.stringPredicate
        spark.sql.parquet.filterPushdown.timestamp spark.sql.parquet.ignoreVariantAnnotation spark.sql.parquet.inferTimestampNTZ.enabled
        spark.sql.parquet.int96AsTimestamp spark.sql.parquet.int96TimestampConversion spark.sql.parquet.mergeSchema
        spark.sql.parquet.reader.respectUnknownTypeAnnotation.enabled spark.sql.parquet.recordLevelFilter.enabled
        spark.sql.parquet.respectSummaryFiles spark.sql.parquet.variant.annotateLogicalType.enabled spark.sql.parquet.writeLegacyFormat
        spark.sql.parser.eagerEvalOfUnresolvedInlineTable spark.sql.parser.escapedStringLiterals spark.sql.parser.manageParserCaches
        spark.sql.parser.quotedRegexColumnNames spark.sql.parser.singleCharacterPipeOperator.enabled spark.sql.path.enabled
        spark.sql.planChangeValidation spark.sql.planChangeValidation.nullability spark.sql.preserveCharVarcharTypeInfo
        spark.sql.prioritizeOrdinalResolutionInSort.enabled spark.sql.pyspark.inferNestedDictAsStruct.enabled
        spark.sql.pyspark.jvmStacktrace.enabled spark.sql.pyspark.legacy.inferArrayTypeFromFirstElement.enabled
        spark.sql.pyspark.legacy.inferMapTypeFromFirstPair.enabled spark.sql.pyspark.toJSON.returnDataFrame spark.sql.pyspark.worker.logging.enabled
        spark.sql.python.filterPushdown.enabled spark.sql.readSideCharPadding spark.sql.repl.eagerEval.enabled
        spark.sql.requireAllClusterKeysForCoPartition spark.sql.requireAllClusterKeysForDistribution spark.sql.restrictedMode.enabled
        spark.sql.retainGroupColumns spark.sql.runCollationTypeCastsBeforeAliasAssignment.enabled spark.sql.runSQLOnFiles
        spark.sql.scripting.continueHandlerEnabled spark.sql.scripting.cursorEnabled spark.sql.scripting.enabled
        spark.sql.selfJoinAutoResolveAmbiguity spark.sql.shuffle.orderIndependentChecksum.enableFullRetryOnMismatch
        spark.sql.shuffle.orderIndependentChecksum.enableQueryLevelRollbackOnMismatch spark.sql.shuffle.orderIndependentChecksum.enabled
        spark.sql.shuffle.spreadNullJoinKeys.enabled spark.sql.shuffleDependency.fileCleanup.enabled
        spark.sql.shuffleDependency.skipMigration.enabled spark.sql.sort.enableRadixSort spark.sql.sources.bucketing.autoBucketedScan.enabled
        spark.sql.sources.bucketing.enabled spark.sql.sources.ignoreDataLocality spark.sql.sources.partitionColumnTypeInference.enabled
        spark.sql.sources.structPredicateDecompose.enabled spark.sql.sources.v2.bucketing.allowCompatibleTransforms.enabled
        spark.sql.sources.v2.bucketing.allowKeysSubsetOfPartitionKeys.enabled spark.sql.sources.v2.bucketing.enabled
        spark.sql.sources.v2.bucketing.partiallyClusteredDistribution.enabled spark.sql.sources.v2.bucketing.partition.filter.enabled
        spark.sql.sources.v2.bucketing.partitionKeyOrdering.enabled spark.sql.sources.v2.bucketing.preserveKeyOrderingOnCoalesce.enabled
        spark.sql.sources.v2.bucketing.preserveOrderingOnCoalesce.enabled spark.sql.sources.v2.bucketing.pushPartValues.enabled
        spark.sql.sources.v2.bucketing.shuffle.enabled spark.sql.sources.v2.bucketing.sorting.enabled spark.sql.sources.validatePartitionColumns
        spark.sql.stableDerivedColumnAlias.enabled spark.sql.statistics.fallBackToHdfs spark.sql.statistics.histogram.enabled
        spark.sql.statistics.parallelFileListingInStatsComputation.enabled spark.sql.statistics.size.autoUpdate.enabled
        spark.sql.statistics.updatePartitionStatsInAnalyzeTable.enabled spark.sql.streaming.asyncLogPurge.enabled
        spark.sql.streaming.checkUnfinishedRepartitionOnRestart spark.sql.streaming.checkpoint.escapedPathCheck.enabled
        spark.sql.streaming.checkpoint.fileChecksum.enabled spark.sql.streaming.checkpoint.fileChecksum.skipCreationIfFileMissingChecksum
        spark.sql.streaming.checkpoint.renamedFileCheck.enabled spark.sql.streaming.checkpoint.verifyMetadataExists.enabled
        spark.sql.streaming.fileSink.log.deletion spark.sql.streaming.fileSource.log.deletion spark.sql.streaming.fileSource.schema.forceNullable
        spark.sql.streaming.fileStreamSink.ignoreMetadata spark.sql.streaming.flatMapGroupsWithState.skipEmittingInitialStateKeys
        spark.sql.streaming.forceDeleteTempCheckpointLocation spark.sql.streaming.kafka.useDeprecatedOffsetFetching
        spark.sql.streaming.metadataCache.enabled spark.sql.streaming.metricsEnabled spark.sql.streaming.noDataMicroBatches.enabled
        spark.sql.streaming.optimizeOneRowPlan.enabled spark.sql.streaming.queryEvolution.enableSinkEvolution
        spark.sql.streaming.queryEvolution.enableSourceEvolution spark.sql.streaming.realTimeMode.allowlistCheck
        spark.sql.streaming.realTimeMode.asyncProgressTrackingByDefault.enabled
        spark.sql.streaming.realTimeMode.dangerouslyAllowCheckpointV1.enabled spark.sql.streaming.schemaInference
        spark.sql.streaming.sessionWindow.merge.sessions.in.local.partition spark.sql.streaming.stateStore.autoSnapshotRepair.enabled
        spark.sql.streaming.stateStore.commitValidation.enabled spark.sql.streaming.stateStore.coordinatorReportSnapshotUploadLag
        spark.sql.streaming.stateStore.forceSnapshotUploadOnLag spark.sql.streaming.stateStore.formatValidation.enabled
        spark.sql.streaming.stateStore.rowChecksum.enabled spark.sql.streaming.stateStore.skipNullsForStreamStreamJoins.enabled
        spark.sql.streaming.stateStore.stateSchemaCheck spark.sql.streaming.stateStore.unloadOnCommit
        spark.sql.streaming.statefulOperator.allowMultiple spark.sql.streaming.statefulOperator.alwaysNullableOutput.enabled
        spark.sql.streaming.statefulOperator.checkCorrectness.enabled spark.sql.streaming.statefulOperator.useStrictDistribution
        spark.sql.streaming.stopActiveRunOnRestart spark.sql.streaming.triggerAvailableNowWrapper.enabled spark.sql.streaming.ui.enabled
        spark.sql.streaming.unsupportedOperationCheck spark.sql.streaming.useStreamlineAggregator
        spark.sql.streaming.validateEventTimeWatermarkColumn spark.sql.streaming.verifyCheckpointDirectoryEmptyOnStart
        spark.sql.subexpressionElimination.enabled spark.sql.subexpressionElimination.filterExec.enabled
        spark.sql.subexpressionElimination.skipForShortcutExpr spark.sql.thriftServer.catalogMetadata.enabled
        spark.sql.thriftServer.incrementalCollect spark.sql.thriftServer.interruptOnCancel
        spark.sql.thriftserver.shuffleDependency.fileCleanup.enabled spark.sql.timeTravel.atSyntax.enabled spark.sql.timeType.enabled
        spark.sql.timestampNanosTypes.enabled spark.sql.truncateTable.ignorePermissionAcl.enabled spark.sql.tvf.allowMultipleTableArguments.enabled
        spark.sql.udt.allowCreatingUDTFromString spark.sql.unionOutputPartitioning spark.sql.useCommonExprIdForAlias spark.sql.variable.substitute
        spark.sql.variant.allowDuplicateKeys spark.sql.variant.allowReadingShredded spark.sql.variant.inferShreddingSchema
        spark.sql.variant.pushVariantIntoScan spark.sql.variant.pushVariantIntoScan.deferCastError
        spark.sql.variant.pushVariantIntoScan.pullOutExtractions spark.sql.variant.validateUnicodeInJsonParsing
        spark.sql.variant.writeShredding.enabled spark.sql.window.segmentTree.enabled spark.sql.xml.schemaInference.incrementalTypeCasting.enabled
        spark.sql.xml.variant.respectInferSchema spark.stage.ignoreDecommissionFetchFailure spark.standalone.submit.filterEnvironment
        spark.standalone.submit.waitAppCompletion spark.storage.cleanupFilesAfterExecutorExit spark.storage.decommission.enabled
        spark.storage.decommission.fallbackStorage.cleanUp spark.storage.decommission.rddBlocks.enabled
        spark.storage.decommission.shuffleBlocks.bufferRacingMigrations spark.storage.decommission.shuffleBlocks.enabled
        spark.storage.exceptionOnPinLeak spark.storage.rddBlockChecksum.enabled spark.storage.rddBlockChecksum.verifyOnReplication
        spark.storage.replication.proactive spark.streaming.dynamicAllocation.enabled spark.streaming.dynamicAllocation.testing
        spark.submit.callSystemExitOnMainExit spark.submit.proxyUser.allowCustomClasspathInClusterMode spark.task.reaper.enabled
        spark.task.reaper.threadDump spark.taskMetrics.trackUpdatedBlockStatuses spark.test.noStageRetry spark.testing spark.ui.actionsViaGetEnabled
        spark.ui.contentSecurityPolicy.enabled spark.ui.contentSecurityPolicy.frameAncestors.enabled spark.ui.enabled
        spark.ui.groupSQLSubExecutionEnabled spark.ui.heapHistogramEnabled spark.ui.jetty.sniHostCheckEnabled spark.ui.killEnabled
        spark.ui.prometheus.enabled spark.ui.reverseProxy spark.ui.showConsoleProgress spark.ui.showErrorStacks
        spark.ui.threadDump.flamegraphEnabled spark.ui.threadDumpsEnabled spark.ui.timelineEnabled spark.ui.xContentTypeOptions.enabled
        spark.unsafe.exceptionOnMemoryLeak spark.unsafe.sorter.spill.read.ahead.enabled spark.worker.cleanup.enabled
        spark.worker.preferConfiguredMasterAddress spark.yarn.am.clientModeExitOnError spark.yarn.am.clientModeTreatDisconnectAsFailed
        spark.yarn.am.limitActiveProcessorCount.enabled spark.yarn.client.statCache.preload.enabled
        spark.yarn.executor.launch.excludeOnFailure.enabled spark.yarn.executor.oomKill.enabled spark.yarn.historyServer.allowTracking
        spark.yarn.includeDriverLogsLink spark.yarn.isPython spark.yarn.populateHadoopClasspath spark.yarn.preserve.staging.files
        spark.yarn.shuffle.server.recovery.disabled spark.yarn.submit.waitAppCompletion spark.yarn.unmanagedAM.enabled
        spark.yarn.user.classpath.first
    """,
    "int": """
        spark.authenticate.secretBitLength spark.block.failures.beforeLocationRefresh spark.blockManager.port spark.cores.max
        spark.dead.worker.persistence spark.default.parallelism spark.deploy.maxExecutorRetries spark.deploy.retainedApplications
        spark.deploy.retainedDrivers spark.driver.blockManager.port spark.driver.cores spark.driver.port spark.dynamicAllocation.initialExecutors
        spark.dynamicAllocation.maxExecutors spark.dynamicAllocation.minExecutors spark.excludeOnFailure.application.maxFailedExecutorsPerNode
        spark.excludeOnFailure.application.maxFailedTasksPerExecutor spark.excludeOnFailure.stage.maxFailedExecutorsPerNode
        spark.excludeOnFailure.stage.maxFailedTasksPerExecutor spark.excludeOnFailure.task.maxTaskAttemptsPerExecutor
        spark.excludeOnFailure.task.maxTaskAttemptsPerNode spark.executor.cores spark.executor.heartbeat.maxFailures spark.executor.instances
        spark.executor.logs.rolling.maxRetainedFiles spark.executor.maxNumFailures spark.history.fs.cleaner.maxNum
        spark.history.fs.numCompactThreads spark.history.fs.numReplayThreads spark.history.ui.maxApplications spark.history.ui.port
        spark.io.compression.zstd.level spark.io.compression.zstd.strategy spark.io.encryption.keySizeBits spark.master.rest.maxThreads
        spark.master.rest.port spark.master.ui.port spark.r.backendConnectionTimeout spark.r.heartBeatInterval spark.r.numRBackendThreads
        spark.rdd.limit.scaleUpFactor spark.rdd.parallelListingThreshold spark.reducer.maxReqsInFlight spark.rpc.connect.threads
        spark.rpc.io.numConnectionsPerPeer spark.rpc.io.threads spark.rpc.message.maxSize spark.rpc.netty.dispatcher.numThreads
        spark.scheduler.listenerbus.metrics.maxListenerClassesTimed spark.scheduler.streaming.idAwareLogging.queryIdLength
        spark.serializer.objectStreamReset spark.shuffle.mapOutput.dispatcher.numThreads spark.shuffle.maxAttemptsOnNettyOOM
        spark.shuffle.push.maxRetainedMergerLocations spark.shuffle.push.merge.finalizeThreads spark.shuffle.push.mergersMinStaticThreshold
        spark.shuffle.push.numPushThreads spark.shuffle.push.sendFinalizeRPCThreads spark.shuffle.registration.maxAttempts
        spark.shuffle.service.port spark.shuffle.sort.bypassMergeThreshold spark.shuffle.spill.batchSize
        spark.shuffle.spill.numElementsForceSpillThreshold spark.shuffle.streaming.networkBufferMaxWaitTimeMs
        spark.shuffle.streaming.readerMaxMemory spark.sql.analyzer.canonicalization.multiCommutativeOpMemoryOptThreshold
        spark.sql.analyzer.maxIterations spark.sql.avro.deflate.level spark.sql.avro.zstandard.level
        spark.sql.cartesianProductExec.buffer.in.memory.threshold spark.sql.cartesianProductExec.buffer.spill.threshold
        spark.sql.codegen.broadcastCleanedSourceThreshold spark.sql.codegen.hugeMethodLimit spark.sql.codegen.logging.maxLines
        spark.sql.codegen.maxFields spark.sql.csv.parser.inputBufferSize spark.sql.cteRecursionAnchorRowsLimitToConvertToLocalRelation
        spark.sql.cteRecursionLevelLimit spark.sql.cteRecursionRowLimit spark.sql.debug.maxToStringFields
        spark.sql.execution.arrow.compression.zstd.level spark.sql.execution.arrow.maxRecordsPerBatch
        spark.sql.execution.arrow.maxRecordsPerOutputBatch spark.sql.execution.arrow.transformWithStateInPySpark.maxStateRecordsPerBatch
        spark.sql.execution.rangeExchange.sampleSizePerPartition spark.sql.execution.topKSortFallbackThreshold spark.sql.files.maxRecordsPerFile
        spark.sql.hive.filesourcePartitionFileCacheSize spark.sql.hive.tablePropertyLengthThreshold spark.sql.inMemoryColumnarStorage.batchSize
        spark.sql.limit.scaleUpFactor spark.sql.maxConcurrentOutputFileWriters spark.sql.objectHashAggregate.sortBased.fallbackThreshold
        spark.sql.optimizer.expressionProjectionCandidateLimit spark.sql.optimizer.inSetConversionThreshold
        spark.sql.optimizer.runtime.bloomFilter.expectedNumItems spark.sql.optimizer.runtime.bloomFilter.maxNumBits
        spark.sql.optimizer.runtime.bloomFilter.maxNumItems spark.sql.optimizer.runtime.bloomFilter.numBits
        spark.sql.optimizer.singleTaskExecution.localTableScan.minRows spark.sql.optimizer.singleTaskExecution.localTableScan.threshold
        spark.sql.optimizer.singleTaskExecution.maxNumFiles spark.sql.optimizer.singleTaskExecution.minNumBytes
        spark.sql.optimizer.singleTaskExecution.minNumFiles spark.sql.optimizer.windowGroupLimitThreshold spark.sql.orc.columnarReaderBatchSize
        spark.sql.orc.columnarWriterBatchSize spark.sql.parquet.columnarReaderBatchSize spark.sql.parser.parserDfaCacheFlushThreshold
        spark.sql.pipelines.execution.maxConcurrentFlows spark.sql.pipelines.maxFlowRetryAttempts spark.sql.pivotMaxValues
        spark.sql.pyspark.plotting.max_rows spark.sql.repl.eagerEval.maxNumRows spark.sql.repl.eagerEval.truncate
        spark.sql.sessionWindow.buffer.in.memory.threshold spark.sql.sessionWindow.buffer.spill.threshold
        spark.sql.sortMergeJoinExec.buffer.in.memory.threshold spark.sql.sortMergeJoinExec.buffer.spill.threshold
        spark.sql.sources.binaryFile.maxLength spark.sql.sources.parallelPartitionDiscovery.parallelism
        spark.sql.sources.schemaStringLengthThreshold spark.sql.statistics.percentile.accuracy spark.sql.streaming.continuous.epochBacklogQueueSize
        spark.sql.streaming.continuous.executorQueueSize spark.sql.streaming.fileSink.log.compactInterval
        spark.sql.streaming.fileSource.cleaner.numThreads spark.sql.streaming.fileSource.log.compactInterval
        spark.sql.streaming.maxBatchesToRetainInMemory spark.sql.streaming.numRecentProgressUpdates
        spark.sql.streaming.realTimeMode.transformWithState.ttlEvictionIntervalMs spark.sql.streaming.stateStore.checkpointFormatVersion
        spark.sql.streaming.stateStore.maxNumStateSchemaFiles spark.sql.streaming.stateStore.maxVersionsToDeletePerMaintenance
        spark.sql.streaming.stateStore.minDeltasForSnapshot spark.sql.streaming.stateStore.valueStateSchemaEvolutionThreshold
        spark.sql.streaming.transformWithState.stateSchemaVersion spark.sql.streaming.ui.retainedProgressUpdates
        spark.sql.streaming.ui.retainedQueries spark.sql.thriftserver.ui.retainedSessions spark.sql.thriftserver.ui.retainedStatements
        spark.sql.transposeMaxValues spark.sql.variant.shredding.maxSchemaDepth spark.sql.variant.shredding.maxSchemaWidth
        spark.sql.windowExec.buffer.in.memory.threshold spark.sql.windowExec.buffer.spill.threshold spark.stage.maxAttempts
        spark.stage.maxConsecutiveAttempts spark.storage.cachedPeersTtl spark.storage.decommission.maxReplicationFailuresPerBlock
        spark.storage.localDiskByExecutors.cacheSize spark.storage.maxReplicationFailures spark.storage.unrollMemoryCheckPeriod
        spark.storage.unrollMemoryThreshold spark.task.maxFailures spark.ui.dagGraph.retainedRootRDDs spark.ui.port spark.ui.retainedDeadExecutors
        spark.ui.retainedJobs spark.ui.retainedStages spark.ui.retainedTasks spark.ui.timeline.executors.maximum spark.ui.timeline.jobs.maximum
        spark.ui.timeline.stages.maximum spark.ui.timeline.tasks.maximum spark.worker.cleanup.appDataTtl spark.worker.cleanup.interval
        spark.worker.executorStateSync.maxAttempts spark.worker.timeout spark.worker.ui.compressedLogFileLengthCacheSize spark.worker.ui.port
        spark.worker.ui.retainedDrivers spark.worker.ui.retainedExecutors spark.yarn.am.cores spark.yarn.cache.sizes spark.yarn.cache.timestamps
        spark.yarn.client.statCache.preload.perDirectoryThreshold spark.yarn.containerLauncherMaxThreads spark.yarn.maxAppAttempts
        spark.yarn.priority spark.yarn.scheduler.reporterThread.maxFailures spark.yarn.submit.file.replication
    """,
    "int 0": """
        spark.buffer.size spark.executor.killOnFatalError.depth spark.io.compression.zstd.workers
        spark.scheduler.maxRetainedRemovedDecommissionExecutors spark.scheduler.maxRetainedUnknownDecommissionExecutors
        spark.sql.codegen.cache.maxEntries spark.sql.event.truncate.length spark.sql.execution.broadcastHashJoin.outputPartitioningExpandLimit
        spark.sql.execution.pandas.udf.buffer.size spark.sql.execution.python.udf.buffer.size spark.sql.filesourceTableRelationCacheSize
        spark.sql.optimizer.dynamicPartitionPruning.broadcastProjection.maxRows spark.sql.optimizer.inSetSwitchThreshold
        spark.sql.optimizer.mapLookupHashThreshold spark.sql.optimizer.runtimeFilter.number.threshold spark.sql.parquet.pushdown.inFilterThreshold
        spark.sql.protobuf.descriptorCacheSize spark.sql.session.localRelationCacheThreshold spark.sql.sources.parallelPartitionDiscovery.threshold
        spark.sql.streaming.stateStore.fileChecksumThreadPoolSize spark.sql.streaming.stateStore.maxLaggingStoresToReport
        spark.sql.streaming.stateStore.numStateStoreInstanceMetricsToReport spark.sql.streaming.stateStore.rocksdb.formatVersion
        spark.sql.streaming.stateStore.rowChecksum.readVerificationRatio spark.sql.streaming.statefulOperator.incrementalCleanupFactor
        spark.sql.subexpressionElimination.cache.maxEntries
    """,
    "int 1": """
        spark.deploy.appNumberModulo spark.deploy.defaultCores spark.deploy.maxDrivers spark.diskStore.subDirectories
        spark.executor.isolatedSessionCache.size spark.history.fs.eventLog.rolling.maxFilesToRetain spark.history.fs.update.batchSize
        spark.history.retainedApplications spark.python.factory.idleWorkerMaxPoolSize spark.python.udf.pipelined.queueDepth
        spark.rdd.limit.initialNumPartitions spark.reducer.maxBlocksInFlightPerAddress spark.scheduler.barrier.maxConcurrentTasksCheck.maxFailures
        spark.scheduler.listenerbus.eventqueue.capacity spark.scheduler.numCancelledJobGroupsToTrack
        spark.shuffle.mapOutput.parallelAggregationThreshold spark.shuffle.maxAccurateSkewedBlockNumber
        spark.shuffle.minNumPartitionsToHighlyCompress spark.shuffle.streaming.networkBufferSize spark.shuffle.streaming.writerMaxMemory
        spark.sql.adaptive.coalescePartitions.initialPartitionNum spark.sql.adaptive.coalescePartitions.maxReducerPartitionsPerTask
        spark.sql.adaptive.coalescePartitions.minPartitionNum spark.sql.addPartitionInBatch.size spark.sql.avro.xz.level
        spark.sql.broadcastExchange.maxThreadThreshold spark.sql.bucketing.coalesceBucketsInJoin.maxBucketRatio
        spark.sql.cbo.joinReorder.dp.threshold spark.sql.codegen.aggregate.fastHashMap.capacityBit spark.sql.codegen.methodSplitThreshold
        spark.sql.codegen.wholeStage.union.maxChildren spark.sql.execution.python.udf.maxRecordsPerBatch
        spark.sql.execution.pythonUDF.arrow.concurrency.level spark.sql.files.maxPartitionNum spark.sql.files.minPartitionNum
        spark.sql.hive.metastorePartitionPruningInSetThreshold spark.sql.leafNodeDefaultParallelism spark.sql.limit.initialNumPartitions
        spark.sql.maxMetadataStringLength spark.sql.optimizer.optimizeExpandRatio spark.sql.pipelines.event.queue.capacity
        spark.sql.resultQueryStage.maxThreadThreshold spark.sql.session.localRelationBatchOfChunksSizeBytes
        spark.sql.session.localRelationChunkSizeBytes spark.sql.session.localRelationChunkSizeRows spark.sql.session.localRelationSizeLimit
        spark.sql.shuffle.partitions spark.sql.shuffleExchange.maxThreadThreshold spark.sql.sources.bucketing.maxBuckets
        spark.sql.sources.structPredicateDecompose.maxFields spark.sql.stackTracesInDataFrameContext spark.sql.statistics.histogram.numBins
        spark.sql.streaming.aggregation.stateFormatVersion spark.sql.streaming.flatMapGroupsWithState.stateFormatVersion
        spark.sql.streaming.internal.stateStore.partitions spark.sql.streaming.join.stateFormatVersion spark.sql.streaming.minBatchesToRetain
        spark.sql.streaming.offsetLog.formatVersion spark.sql.streaming.sessionWindow.stateFormatVersion
        spark.sql.streaming.stateStore.autoSnapshotRepair.maxChangeFileReplay
        spark.sql.streaming.stateStore.autoSnapshotRepair.numFailuresBeforeActivating spark.sql.streaming.stateStore.multiplierForMinTimeDiffToLog
        spark.sql.streaming.stateStore.multiplierForMinVersionDiffToLog spark.sql.streaming.stateStore.numStateStoreMaintenanceThreads
        spark.sql.streaming.stateStore.rocksdb.mergeOperatorVersion spark.sql.subquery.maxThreadThreshold spark.sql.view.maxNestedViewDepth
        spark.sql.window.segmentTree.blockSize spark.sql.window.segmentTree.fanout spark.sql.window.segmentTree.minPartitionRows
        spark.storage.decommission.shuffleBlocks.maxThreads spark.streaming.dynamicAllocation.maxExecutors
        spark.streaming.dynamicAllocation.minExecutors spark.unsafe.sorter.spill.merge.factor spark.worker.initialRegistrationRetries
        spark.worker.maxRegistrationRetries spark.yarn.report.loggingFrequency
    """,
    "number": """
        spark.dynamicAllocation.executorAllocationRatio spark.history.fs.eventLog.rolling.compaction.score.threshold spark.memory.fraction
        spark.scheduler.minRegisteredResourcesRatio spark.security.credentials.renewalRatio spark.shuffle.accurateBlockSkewedFactor
        spark.shuffle.push.mergersMinThresholdRatio spark.shuffle.push.minCompletedPushRatio spark.speculation.multiplier spark.speculation.quantile
        spark.sql.analyzer.singlePassResolver.dualRunSampleRate spark.sql.cbo.starJoinFTRatio
        spark.sql.inMemoryColumnarStorage.hugeVectorReserveRatio spark.sql.optimizer.dynamicPartitionPruning.fallbackFilterRatio
        spark.sql.parser.parserDfaCacheFlushRatio spark.sql.statistics.ndv.maxError spark.sql.streaming.ratioExtraSpaceAllowedInCheckpoint
        spark.storage.unrollMemoryGrowthFactor
    """,
    "number 0": """
        spark.memory.storageFraction spark.sql.adaptive.nonEmptyPartitionRatioForBroadcastJoin spark.sql.adaptive.skewJoin.skewedPartitionFactor
        spark.sql.cbo.joinReorder.card.weight
    """,
    "number 1": """
        spark.driver.memoryOverheadFactor spark.executor.memoryOverheadFactor spark.speculation.efficiency.longRunTaskFactor
        spark.speculation.efficiency.processRateMultiplier spark.sql.adaptive.convertSortMergeJoinToShuffledHashJoin.minWideningFactor
        spark.sql.adaptive.rebalancePartitionsSmallPartitionFactor spark.sql.sources.fileCompressionFactor
        spark.sql.streaming.stateStore.snapshotToCleanupThreadRatio spark.streaming.dynamicAllocation.scalingDownRatio
        spark.streaming.dynamicAllocation.scalingUpRatio spark.task.cpus
    """,
    "size": """
        spark.broadcast.blockSize spark.buffer.pageSize spark.buffer.write.chunkSize spark.driver.maxResultSize spark.driver.memory
        spark.driver.memoryOverhead spark.driver.minMemoryOverhead spark.eventLog.buffer.kb spark.executor.memory spark.executor.memoryOverhead
        spark.executor.minMemoryOverhead spark.executor.pyspark.memory spark.files.maxPartitionBytes spark.files.openCostInBytes
        spark.history.fs.endEventReparseChunkSize spark.history.fs.eventLog.maxLineLength spark.history.store.hybridStore.maxMemoryUsage
        spark.history.store.maxDiskUsage spark.io.compression.lz4.blockSize spark.io.compression.snappy.blockSize
        spark.io.warning.largeFileThreshold spark.kryoserializer.buffer spark.kryoserializer.buffer.max spark.network.maxRemoteBlockSizeFetchToMem
        spark.reducer.maxSizeInFlight spark.shuffle.accurateBlockThreshold spark.shuffle.mapOutput.minSizeForBroadcast
        spark.shuffle.push.maxBlockBatchSize spark.shuffle.push.maxBlockSizeToPush spark.shuffle.push.minShuffleSizeToWait
        spark.shuffle.spill.initialMemoryThreshold spark.sql.adaptive.autoBroadcastJoinThreshold
        spark.sql.adaptive.maxShuffledHashJoinLocalMapThreshold spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes
        spark.sql.autoBroadcastJoinThreshold spark.sql.defaultSizeInBytes spark.sql.execution.arrow.maxBytesPerOutputBatch
        spark.sql.files.maxPartitionBytes spark.sql.files.openCostInBytes spark.sql.inMemoryColumnarStorage.hugeVectorThreshold
        spark.sql.maxBroadcastTableSize spark.sql.maxSinglePartitionBytes spark.sql.optimizeNullAwareAntiJoin.broadcastThreshold
        spark.sql.optimizer.runtime.bloomFilter.applicationSideScanSizeThreshold spark.sql.optimizer.runtime.bloomFilter.creationSideThreshold
        spark.sql.optimizer.runtime.bloomFilter.materializedCreationSideThreshold spark.sql.planner.pythonExecution.memory
        spark.sql.session.localRelationChunkSizeLimit spark.storage.decommission.shuffleBlocks.maxDiskSize spark.storage.memoryMapLimitForTests
        spark.storage.memoryMapThreshold spark.task.maxDirectResultSize spark.ui.requestHeaderSize spark.yarn.am.finalMessageLimit
        spark.yarn.am.memory spark.yarn.am.memoryOverhead
    """,
    "size 0": """
        spark.broadcast.UDFCompressionThreshold spark.memory.offHeap.size spark.sql.execution.arrow.localRelationThreshold
        spark.sql.maxPlanStringLength spark.sql.optimizer.dynamicPartitionPruning.broadcastProjection.maxBytes
        spark.sql.optimizer.dynamicPartitionPruning.broadcastProjection.maxSourceBytes
    """,
    "size 1": """
        spark.eventLog.rolling.maxFileSize spark.io.compression.zstd.bufferSize spark.master.rest.maxRequestBodySize spark.shuffle.file.buffer
        spark.shuffle.file.merge.buffer spark.shuffle.localDisk.file.output.buffer spark.shuffle.sort.initialBufferSize
        spark.shuffle.spill.diskWriteBufferSize spark.shuffle.spill.maxSizeInBytesForSpillThreshold spark.shuffle.unsafe.file.output.buffer
        spark.sql.adaptive.advisoryPartitionSizeInBytes spark.sql.adaptive.coalescePartitions.minPartitionSize
        spark.sql.adaptive.shuffle.targetPostShuffleInputSize spark.sql.cartesianProductExec.buffer.spill.size.threshold
        spark.sql.execution.arrow.maxBytesPerBatch spark.sql.execution.python.udf.maxBytesPerBatch
        spark.sql.sessionWindow.buffer.spill.size.threshold spark.sql.sortMergeJoinExec.buffer.spill.size.threshold
        spark.sql.windowExec.buffer.spill.size.threshold spark.unsafe.sorter.spill.reader.buffer.size
    """,
    "text": """
        spark.admin.acls spark.admin.acls.groups spark.api.mode spark.app.attempt.id spark.archives spark.authenticate.secret
        spark.authenticate.secret.driver.file spark.authenticate.secret.executor.file spark.authenticate.secret.file spark.checkpoint.dir
        spark.connect.scalaUdf.stubPrefixes spark.deploy.appIdPattern spark.deploy.driverIdPattern spark.deploy.recoveryCompressionCodec
        spark.deploy.recoveryDirectory spark.deploy.recoveryMode spark.deploy.recoveryMode.factory spark.deploy.recoverySerializationFilter
        spark.deploy.spreadOut spark.deploy.workerSelectionPolicy spark.deploy.zookeeper.dir spark.deploy.zookeeper.url spark.driver.appUIAddress
        spark.driver.bindAddress spark.driver.defaultExtraClassPath spark.driver.extraClassPath spark.driver.extraJavaOptions
        spark.driver.extraLibraryPath spark.driver.host spark.driver.log.dfsDir spark.driver.log.layout spark.driver.log.localDir
        spark.driver.log.redirectConsoleOutputs spark.driver.resourcesFile spark.eventLog.compression.codec spark.eventLog.dir
        spark.eventLog.excludedPatterns spark.eventLog.gcMetrics.oldGenerationGarbageCollectors
        spark.eventLog.gcMetrics.youngGenerationGarbageCollectors spark.executor.decommission.signal spark.executor.defaultExtraClassPath
        spark.executor.extraClassPath spark.executor.extraJavaOptions spark.executor.extraLibraryPath spark.executor.id
        spark.executor.logs.redirectConsoleOutputs spark.executor.logs.rolling.maxSize spark.executor.logs.rolling.strategy
        spark.executor.logs.rolling.time.interval spark.executor.metrics.fileSystemSchemes spark.extraListeners spark.files
        spark.history.custom.executor.log.url spark.history.fs.logDirectory spark.history.fs.logDirectory.names
        spark.history.fs.update.scanDisabledPathPatterns spark.history.kerberos.keytab spark.history.kerberos.principal spark.history.provider
        spark.history.store.hybridStore.diskBackend spark.history.store.path spark.history.store.serializer spark.history.ui.admin.acls
        spark.history.ui.admin.acls.groups spark.history.ui.title spark.io.compression.codec spark.io.crypto.cipher.transformation
        spark.io.encryption.keygen.algorithm spark.jars spark.jars.excludes spark.jars.ivy spark.jars.ivySettings spark.jars.packages
        spark.jars.repositories spark.kerberos.access.hadoopFileSystems spark.kerberos.keytab spark.kerberos.principal
        spark.kerberos.renewal.credentials spark.kryo.classesToRegister spark.kryo.registrator spark.kubernetes.jars.avoidDownloadSchemes
        spark.log.callerContext spark.log.level spark.master.rest.allowedAppResourcePatterns spark.master.rest.filters spark.master.rest.host
        spark.master.ui.decommission.allow.mode spark.master.ui.historyServerUrl spark.master.ui.title spark.master.ui.visibleEnvVarPrefixes
        spark.metrics.conf spark.metrics.namespace spark.modify.acls spark.modify.acls.groups spark.plugins spark.pyspark.driver.python
        spark.pyspark.python spark.python.daemon.module spark.python.unix.domain.socket.dir spark.python.worker.module spark.r.command
        spark.redaction.regex spark.redaction.string.regex spark.resources.discoveryPlugin spark.rpc.askTimeout spark.rpc.lookupTimeout
        spark.scheduler.allocation.file spark.scheduler.mode spark.serializer spark.shuffle.checksum.algorithm spark.shuffle.manager
        spark.shuffle.manager.incremental spark.shuffle.mapStatus.compression.codec spark.shuffle.service.db.backend spark.shuffle.service.name
        spark.shuffle.sort.io.plugin.class spark.sparkr.r.command spark.sql.adaptive.customCostEvaluatorClass spark.sql.adaptive.logLevel
        spark.sql.adaptive.optimizer.excludedRules spark.sql.artifact.cacheStorageLevel spark.sql.avro.compression.codec
        spark.sql.avro.datetimeRebaseModeInRead spark.sql.avro.datetimeRebaseModeInWrite spark.sql.avro.schemaUrlAllowedSchemes
        spark.sql.binaryOutputStyle spark.sql.cache.serializer spark.sql.catalog.spark_catalog spark.sql.catalog.spark_catalog.defaultDatabase
        spark.sql.catalogImplementation spark.sql.codegen.compiler spark.sql.codegen.factoryMode spark.sql.codegen.logLevel
        spark.sql.columnNameOfCorruptRecord spark.sql.dataframeCache.logLevel spark.sql.defaultCacheStorageLevel spark.sql.defaultCatalog
        spark.sql.defaultColumn.allowedProviders spark.sql.defaultPath spark.sql.error.messageFormat spark.sql.execution.arrow.compression.codec
        spark.sql.execution.arrow.transformWithStateInPandas.maxRecordsPerBatch spark.sql.execution.pandas.structHandlingMode
        spark.sql.execution.pyspark.python spark.sql.experimental.optimizer.pyTranspilers spark.sql.expressionTreeChangeLog.level
        spark.sql.extendedExplainProviders spark.sql.extensions spark.sql.files.ignoredPathSegmentRegex spark.sql.functionResolution.sessionOrder
        spark.sql.globalTempDatabase spark.sql.hive.caseSensitiveInferenceMode spark.sql.kafka.disallowedOptions
        spark.sql.legacy.ctePrecedencePolicy spark.sql.legacy.parquet.datetimeRebaseModeInRead spark.sql.legacy.timeParserPolicy
        spark.sql.mapKeyDedupPolicy spark.sql.maven.additionalRemoteRepositories spark.sql.nameResolutionLog.level
        spark.sql.optimizer.datasourceV2ExprFolding spark.sql.optimizer.excludedRules spark.sql.optimizer.maxIterations
        spark.sql.optimizer.nestedPredicatePushdown.supportedFileSources spark.sql.orc.compression.codec spark.sql.orc.impl
        spark.sql.parquet.compression.codec spark.sql.parquet.datetimeRebaseModeInRead spark.sql.parquet.datetimeRebaseModeInWrite
        spark.sql.parquet.int96RebaseModeInRead spark.sql.parquet.int96RebaseModeInWrite spark.sql.parquet.output.committer.class
        spark.sql.parquet.outputTimestampType spark.sql.planChangeLog.batches spark.sql.planChangeLog.level spark.sql.planChangeLog.rules
        spark.sql.pyspark.dataSource.profiler spark.sql.pyspark.udf.profiler spark.sql.queryExecutionListeners spark.sql.redaction.options.regex
        spark.sql.redaction.string.regex spark.sql.reflect.allowList spark.sql.session.timeZone spark.sql.shuffledHashJoinFactor
        spark.sql.sources.commitProtocolClass spark.sql.sources.default spark.sql.sources.disabledJdbcConnProviderList
        spark.sql.sources.outputCommitterClass spark.sql.sources.partitionOverwriteMode spark.sql.sources.useListFilesFileSystemList
        spark.sql.sources.useV1SourceList spark.sql.sources.v2.bucketing.allowJoinKeysSubsetOfPartitionKeys.enabled spark.sql.storeAssignmentPolicy
        spark.sql.streaming.checkpointLocation spark.sql.streaming.commitProtocolClass spark.sql.streaming.disabledV2MicroBatchReaders
        spark.sql.streaming.disabledV2Writers spark.sql.streaming.multipleWatermarkPolicy spark.sql.streaming.stateStore.compression.codec
        spark.sql.streaming.stateStore.encodingFormat spark.sql.streaming.stateStore.providerClass spark.sql.streaming.streamingQueryListeners
        spark.sql.streaming.ui.enabledCustomMetricList spark.sql.thriftserver.scheduler.pool spark.sql.timeTravelTimestampKey
        spark.sql.timeTravelVersionKey spark.sql.timestampType spark.sql.udt.allowedDynamicUDTClasses spark.sql.ui.explainMode
        spark.sql.ui.retainedExecutions spark.sql.variant.forceShreddingSchemaForTest spark.sql.warehouse.dir
        spark.storage.blockManagerSlaveTimeoutMs spark.storage.decommission.fallbackStorage.path spark.storage.rddBlockChecksum.algorithm
        spark.storage.replication.policy spark.storage.replication.topologyFile spark.storage.replication.topologyMapper spark.submit.deployMode
        spark.submit.pyFiles spark.ui.allowFramingFrom spark.ui.custom.executor.log.url spark.ui.filters spark.ui.jettyStopTimeout
        spark.ui.proxyRedirectUri spark.ui.reverseProxyUrl spark.ui.store.path spark.ui.strictTransportSecurity spark.ui.view.acls
        spark.ui.view.acls.groups spark.ui.xXssProtection spark.unsafe.offHeap spark.user.groups.mapping spark.worker.decommission.signal
        spark.worker.idPattern spark.worker.resourcesFile spark.yarn.am.defaultJavaOptions spark.yarn.am.extraJavaOptions
        spark.yarn.am.extraLibraryPath spark.yarn.am.nodeLabelExpression spark.yarn.am.tokenConfRegex spark.yarn.applicationType spark.yarn.archive
        spark.yarn.cache.confArchive spark.yarn.cache.filenames spark.yarn.cache.types spark.yarn.cache.visibilities spark.yarn.config.gatewayPath
        spark.yarn.config.replacementPath spark.yarn.dist.archives spark.yarn.dist.files spark.yarn.dist.forceDownloadSchemes spark.yarn.dist.jars
        spark.yarn.dist.pyFiles spark.yarn.exclude.nodes spark.yarn.executor.nodeLabelExpression spark.yarn.historyServer.address spark.yarn.jars
        spark.yarn.kerberos.renewal.excludeHadoopFileSystems spark.yarn.metrics.namespace spark.yarn.queue spark.yarn.resourceFpgaDeviceName
        spark.yarn.resourceGpuDeviceName spark.yarn.rolledLog.excludePattern spark.yarn.rolledLog.includePattern spark.yarn.secondary.jars
        spark.yarn.stagingDir spark.yarn.tags spark.yarn.user.jar
    """,
    "time": """
        spark.cleaner.periodicGC.interval spark.cleaner.referenceTracking.blocking.timeout spark.driver.metrics.pollingInterval
        spark.dynamicAllocation.schedulerBacklogTimeout spark.dynamicAllocation.sustainedSchedulerBacklogTimeout spark.excludeOnFailure.timeout
        spark.executor.decommission.forceKillTimeout spark.executor.decommission.killInterval spark.executor.failuresValidityInterval
        spark.executor.heartbeatInterval spark.executor.metrics.pollingInterval spark.history.fs.cleaner.interval spark.history.fs.cleaner.maxAge
        spark.history.fs.driverlog.cleaner.interval spark.history.fs.driverlog.cleaner.maxAge spark.history.fs.safemodeCheck.interval
        spark.history.fs.update.interval spark.kerberos.relogin.period spark.locality.wait spark.locality.wait.node spark.locality.wait.process
        spark.locality.wait.rack spark.memory.unmanagedMemoryPollingInterval spark.network.timeout spark.network.timeoutInterval
        spark.python.authenticate.socketTimeout spark.python.task.killTimeout spark.scheduler.barrier.maxConcurrentTasksCheck.interval
        spark.scheduler.executorTaskExcludeOnFailureTime spark.scheduler.listenerbus.logSlowEvent.threshold
        spark.scheduler.maxRegisteredResourcesWaitingTime spark.scheduler.revive.interval spark.security.credentials.retryWait
        spark.shuffle.registration.timeout spark.shutdown.timeout spark.speculation.interval spark.speculation.minTaskRuntime
        spark.speculation.task.duration.threshold spark.sql.broadcastTimeout spark.sql.metadataCacheTTLSeconds
        spark.sql.pipelines.execution.streamstate.pollingInterval spark.sql.pipelines.execution.watchdog.maxRetryTime
        spark.sql.streaming.continuous.executorPollIntervalMs spark.sql.streaming.fileSink.log.cleanupDelay
        spark.sql.streaming.fileSource.log.cleanupDelay spark.sql.streaming.noDataProgressEventInterval spark.sql.streaming.pollingDelay
        spark.sql.streaming.realTimeMode.minBatchDuration spark.sql.streaming.stateStore.maintenanceForceShutdownTimeout
        spark.sql.streaming.stateStore.maintenanceInterval spark.sql.streaming.stateStore.maintenanceProcessingTimeout
        spark.sql.streaming.stateStore.maintenanceShutdownTimeout spark.sql.streaming.stateStore.snapshotLagReportInterval
        spark.sql.streaming.stopTimeout spark.sql.thriftServer.queryTimeout spark.standalone.executorRemoveDelayOnDisconnection
        spark.storage.blockManagerHeartbeatTimeoutMs spark.storage.blockManagerMasterDriverHeartbeatTimeoutMs
        spark.storage.blockManagerTimeoutIntervalMs spark.task.reaper.killTimeout spark.task.reaper.pollingInterval
        spark.ui.consoleProgress.update.interval spark.ui.jetty.stopTimeout spark.ui.liveUpdate.minFlushPeriod spark.ui.liveUpdate.period
        spark.worker.driverTerminateTimeout spark.yarn.am.attemptFailuresValidityInterval spark.yarn.am.waitTime
        spark.yarn.clientLaunchMonitorInterval spark.yarn.report.interval spark.yarn.scheduler.heartbeat.interval-ms
        spark.yarn.scheduler.initial-allocation.interval
    """,
    "time 0": """
        spark.driver.timeout spark.dynamicAllocation.cachedExecutorIdleTimeout spark.dynamicAllocation.executorIdleTimeout
        spark.dynamicAllocation.shuffleTracking.timeout spark.python.worker.idleTimeoutSeconds spark.python.worker.tracebackDumpIntervalSeconds
        spark.scheduler.excludeOnFailure.unschedulableTaskSetTimeout spark.scheduler.listenerbus.exitTimeout spark.shuffle.push.finalize.timeout
        spark.shuffle.push.results.timeout spark.sql.execution.pyspark.udf.idleTimeoutSeconds
        spark.sql.execution.pyspark.udf.tracebackDumpIntervalSeconds
    """,
    "time 1": """
        spark.barrier.sync.timeout spark.deploy.recoveryTimeout spark.rdd.checkpoint.cachePreferredLocsExpireTime
        spark.shuffle.streaming.writerConnectionTimeout spark.sql.pipelines.execution.watchdog.minRetryTime
        spark.sql.pipelines.timeoutMsForTerminationJoinAndLock spark.sql.scriptTransformation.exitTimeoutInSeconds
        spark.storage.decommission.replicationReattemptInterval spark.storage.shuffleManager.initWaitingTimeout
        spark.streaming.dynamicAllocation.scalingInterval
    """,
}
