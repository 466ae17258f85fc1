#!/usr/bin/env python3
"""Holds the alerts of daemon/packaging/chancery.rules.yml against the metrics of docs/operations/metrics.md.

usage: alert_rules.py ROOT        fails on a rule without its parts, or about a metric that there is not
       alert_rules.py --self-test fails unless planted faults are found
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

RULES = Path("daemon/packaging/chancery.rules.yml")
PAGE = Path("docs/operations/metrics.md")
METRIC = re.compile(r"\b((?:chancery|process)_[a-z_]+)")
ROW = re.compile(r"^\| `([a-z_]+)[^`]*` \| (gauge|counter|histogram) \|", re.MULTILINE)
PARTS = {"alert", "expr", "labels", "annotations"}


def series_of(page):
    """The names of the series that the page's metrics have."""
    names = set()
    for name, kind in ROW.findall(page):
        suffixes = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        names.update(name + suffix for suffix in suffixes)
    return names


def faults(rules, page):
    known = series_of(page)
    found = []
    for group in yaml.safe_load(rules)["groups"]:
        for rule in group["rules"]:
            name = rule.get("alert", "a rule without a name")
            if missing := PARTS - rule.keys():
                found.append(f"{name} lacks {', '.join(sorted(missing))}")
                continue
            if rule["labels"].get("severity") not in ("warning", "critical"):
                found.append(f"{name} has no severity")
            if {"summary", "description"} - rule["annotations"].keys():
                found.append(f"{name} does not say what to do")
            used = METRIC.findall(rule["expr"])
            if not used:
                found.append(f"{name} is about no metric of ours")
            found += [f"{name}: there is no {metric}" for metric in used if metric not in known]
    return found


def promtool_fault(path):
    """What Prometheus' own check says, where it is installed."""
    if not shutil.which("promtool"):
        return []
    checked = subprocess.run(["promtool", "check", "rules", path], capture_output=True, text=True, check=False)
    return [] if checked.returncode == 0 else [checked.stdout + checked.stderr]


def self_test():
    page = "| `chancery_a_total{x}` | counter | x |\n| `chancery_b_seconds` | histogram | x |\n"
    good = """groups: [{name: g, rules: [{alert: A, expr: 'rate(chancery_a_total[5m]) > chancery_b_seconds_count',
      labels: {severity: warning}, annotations: {summary: s, description: d}}]}]"""
    planted = {
        "there is no chancery_c_total": good.replace("chancery_a_total", "chancery_c_total"),
        "there is no chancery_b_seconds": good.replace("seconds_count", "seconds"),
        "A has no severity": good.replace("warning", "loud"),
        "A does not say what to do": good.replace("description: d", "text: d"),
        "A is about no metric of ours": good.replace("chancery_", "other_"),
        "A lacks labels": good.replace("labels:", "label:"),
    }
    assert not faults(good, page), faults(good, page)
    for want, text in planted.items():
        assert any(want in fault for fault in faults(text, page)), want


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return 0
    root = Path(sys.argv[1])
    found = faults((root / RULES).read_text(), (root / PAGE).read_text()) + promtool_fault(root / RULES)
    for fault in found:
        print(f"{RULES}: {fault}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
