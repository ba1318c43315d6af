# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The time of a run, host by host and stage by stage, as data and as a picture. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

OK, FAILED, SKIPPED = "ok", "failed", "skipped"
RANKS = (SKIPPED, OK, FAILED)  # of a stage with several tasks, the last of these
STAGES = {"made": "cloud: create", "booted": "cloud: boot", "reachable": "cloud: ssh", "deleted": "cloud: delete", "failed": "cloud: failed"}
# As many as a run has stages, and some more
COLORS = (
    *("#4e79a7", "#f28e2b", "#59a14f", "#b07aa1", "#edc948", "#76b7b2", "#9c755f", "#ff9da7", "#86bc86", "#bab0ac"),
    *("#d37295", "#1b9e9e", "#b6992d", "#a0cbe8", "#5f4690", "#ffbe7d", "#79706e", "#d4a6c8"),
)
RED = "#d62728"
LEFT, WIDTH, ROW, TOP, LEGEND = 190, 900, 22, 30, 18  # pixels


@dataclass(frozen=True)
class Span:
    """One stage of a host. Times are seconds since the run began."""

    host: str
    stage: str
    began: float
    ended: float
    tasks: int = 1
    outcome: str = OK


class Recorder:
    """Takes the tasks and the events of a run as they happen."""

    def __init__(self, began: float) -> None:
        self.began = began
        self.spans: list[Span] = []
        self._running: dict[tuple[str, str], float] = {}

    def start(self, host: str, task: str, now: float) -> None:
        self._running[host, task] = now

    def end(self, host: str, task: str, stage: str, now: float, outcome: str = OK) -> None:
        began = self._running.pop((host, task), now)
        self.spans.append(Span(host, stage, began - self.began, now - self.began, 1, outcome))

    def events(self, moments: Iterable[Mapping[str, Any]]) -> None:
        """What the clouds said of nodes: each event ends a stage that began with the one before, or when the node was asked for after that."""
        last: dict[str, float] = {}
        for moment in sorted(moments, key=lambda each: float(each["time"])):
            node, time = str(moment["node"]), float(moment["time"]) - self.began
            if moment["stage"] in STAGES:
                outcome = FAILED if moment["stage"] == "failed" else OK
                asked = time - float(moment["seconds"])
                self.spans.append(Span(node, STAGES[moment["stage"]], max(asked, last.get(node, asked)), time, 0, outcome))
            last[node] = time

    def joined(self) -> list[Span]:
        """One span for each stage of a host, in the order of their begins. Stages in which all was skipped are left out."""
        found: dict[tuple[str, str], Span] = {}
        for span in sorted(self.spans, key=lambda each: each.began):
            key = (span.host, span.stage)
            before = found.get(key)
            found[key] = _both(before, span) if before else span
        return [span for span in sorted(found.values(), key=lambda each: (each.began, each.host)) if span.outcome != SKIPPED]

    def plain(self, now: float) -> dict[str, Any]:
        """All of it as data."""
        spans = [{key: round(value, 2) if isinstance(value, float) else value for key, value in asdict(span).items()} for span in self.joined()]
        return {"began": round(self.began, 2), "seconds": round(now - self.began, 2), "spans": spans}


def _both(one: Span, other: Span) -> Span:
    outcome = max(one.outcome, other.outcome, key=RANKS.index)
    return Span(one.host, one.stage, min(one.began, other.began), max(one.ended, other.ended), one.tasks + other.tasks, outcome)


def svg(data: Mapping[str, Any]) -> str:
    """A picture of a timeline: one row for each host, one bar for each stage."""
    spans = data["spans"]
    hosts = list(dict.fromkeys(span["host"] for span in spans))
    stages = list(dict.fromkeys(span["stage"] for span in spans))
    scale = WIDTH / max(float(data["seconds"]), 1.0)
    bottom = TOP + ROW * len(hosts)
    height = bottom + 12 + LEGEND * len(stages)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 20}" height="{height}" font-family="sans-serif" font-size="12">',
        f"<title>{data['seconds']} s</title>",
        f'<rect width="{LEFT + WIDTH + 20}" height="{height}" fill="white"/>',
        *_axis(float(data["seconds"]), scale, bottom),
        *(f'<text x="8" y="{TOP + ROW * row + 15}">{escape(host)}</text>' for row, host in enumerate(hosts)),
        *(_bar(span, TOP + ROW * hosts.index(span["host"]), scale, COLORS[stages.index(span["stage"]) % len(COLORS)]) for span in spans),
        *_legend(stages, bottom + 12),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _bar(span: Mapping[str, Any], top: int, scale: float, color: str) -> str:
    left, width = LEFT + span["began"] * scale, max((span["ended"] - span["began"]) * scale, 1.0)
    words = f"{span['host']}: {span['stage']}: {span['ended'] - span['began']:.1f} s, {span['outcome']}"
    fill = RED if span["outcome"] == FAILED else color
    return f'<rect x="{left:.1f}" y="{top + 3}" width="{width:.1f}" height="{ROW - 6}" fill="{fill}"><title>{escape(words)}</title></rect>'


def _axis(seconds: float, scale: float, bottom: int) -> Iterator[str]:
    step = min(step for step in (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 10**9) if seconds / step <= 12)
    for second in range(0, int(seconds) + 1, step):
        left = LEFT + second * scale
        yield f'<line x1="{left:.1f}" y1="{TOP - 6}" x2="{left:.1f}" y2="{bottom}" stroke="#ddd"/>'
        yield f'<text x="{left:.1f}" y="{TOP - 10}" text-anchor="middle">{second} s</text>'


def _legend(stages: list[str], top: int) -> Iterator[str]:
    for row, stage in enumerate(stages):
        yield f'<rect x="{LEFT}" y="{top + LEGEND * row}" width="12" height="12" fill="{COLORS[row % len(COLORS)]}"/>'
        yield f'<text x="{LEFT + 18}" y="{top + LEGEND * row + 11}">{escape(stage)}</text>'
