# Written by sky.clusters. A shell ends after an hour at its prompt. Not those of scripts and jobs: their reading would end
case $- in
  *i*) TMOUT=3600 ;;
esac
