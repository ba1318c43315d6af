from __future__ import annotations
import json, re
from pathlib import Path
import pytest
from ansible_collections.sky.clusters.tests.support.site import lasting

pytestmark = pytest.mark.real
ZONE = "fsixb"


def content(count):
    cloud = {"provider": "lxc", "zone": ZONE, "packages": ["openjdk-17-jre-headless"]}
    return {
        "plugin": "sky.clusters.clouds",
        "cluster": ZONE,
        "clouds": {"here": cloud},
        "pools": {
            "master": {"cloud": "here", "count": 1, "roles": ["spark_master"], "flavor": "small"},
            "worker": {"cloud": "here", "count": count, "roles": ["spark_worker"], "flavor": "small", "volumes": {"data": 1}},
        },
    }


def test_x(tmp_path: Path) -> None:
    with lasting(tmp_path, ZONE, content(1)) as site:
        print(site.must("cluster").last(8), flush=True)
        grow = ("-e", '{"sky_counts": {"worker": 2}}')
        p = site.play("cluster", "--check", "-e", "sky_plan_file=plan.json", *grow)
        print(p.code, p.last(12))
        print((tmp_path / "plan.json").read_text()[:1500], flush=True)
        print(site.must("status", *grow).last(7), flush=True)
        print(site.must("cluster", "--check", "-e", "sky_replace=fsixb-worker-0").last(7), flush=True)
        print(site.must("cluster", "-e", "sky_replace=fsixb-worker-0").last(12), flush=True)
