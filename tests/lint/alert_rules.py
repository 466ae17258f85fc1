#!/usr/bin/env python3
"""Holds the alerts of daemon/packaging/chancery.rules.yml against the metrics of docs/operations/metrics.md and runtime.md.

usage: alert_rules.py ROOT        fails on a rule without its parts, or about a metric or label that there is not; and when
                                  nobody is told of what must not go unseen
       alert_rules.py --self-test fails unless planted faults are found
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

RULES = Path("daemon/packaging/chancery.rules.yml")
PAGES = (Path("docs/operations/metrics.md"), Path("docs/operations/runtime.md"))
METRIC = re.compile(r"\b((?:chancery|process)_[a-z_]+)(?:\{([^}]*)\})?")
LABEL = re.compile(r"([a-z_]+)\s*[=!]")
ROW = re.compile(r"^\| `([a-z_]+)(?:\{([a-z_,]*)\})?` \| (gauge|counter|histogram) \|", re.MULTILINE)
PARTS = {"alert", "expr", "labels", "annotations"}
# What nobody would miss until it is too late.
MUST_ALERT = {
    "chancery_store_up",
    "chancery_backend_up",
    "chancery_audit_failures_total",
    "chancery_audit_checkpoint_age_seconds",
    "chancery_audit_log_older_copy",
    "chancery_anomalies_total",
    "chancery_freeze_untold",
    "chancery_webhook_deliveries_total",
    "chancery_runtime_receipts_waiting",
    "chancery_runtime_redactions_total",
}
SCRAPED = {"instance", "job"}  # labels that Prometheus adds


def series_of(page):
    """The series that the page's metrics have, each with its labels."""
    series = {}
    for name, labels, kind in ROW.findall(page):
        suffixes = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        for suffix in suffixes:
            series[name + suffix] = SCRAPED | set(labels.split(",")) | ({"le"} if suffix == "_bucket" else set())
    return series


def unseen(rules):
    """What must not go unseen, and no rule is about."""
    watched = {metric for group in yaml.safe_load(rules)["groups"] for rule in group["rules"]
               for metric, _ in METRIC.findall(rule.get("expr", ""))}
    return [f"no rule is about {metric}" for metric in sorted(MUST_ALERT - watched)]


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
            for metric, selector in used:
                if metric not in known:
                    found.append(f"{name}: there is no {metric}")
                    continue
                found += [f"{name}: {metric} has no label {label}" for label in LABEL.findall(selector)
                          if label not in known[metric]]
    return found


def promtool_fault(path):
    """What Prometheus' own check says, where it is installed."""
    if not shutil.which("promtool"):
        return []
    checked = subprocess.run(["promtool", "check", "rules", path], capture_output=True, text=True, check=False)
    return [] if checked.returncode == 0 else [checked.stdout + checked.stderr]


def self_test():
    page = "| `chancery_a_total{x,y}` | counter | x |\n| `chancery_b_seconds` | histogram | x |\n"
    good = """groups: [{name: g, rules: [{alert: A, expr: 'rate(chancery_a_total{y="1",job=~"j"}[5m]) > chancery_b_seconds_count',
      labels: {severity: warning}, annotations: {summary: s, description: d}}]}]"""
    planted = {
        "there is no chancery_c_total": good.replace("chancery_a_total", "chancery_c_total"),
        "there is no chancery_b_seconds": good.replace("seconds_count", "seconds"),
        "chancery_a_total has no label z": good.replace('y="1"', 'y="1",z!="2"'),
        "A has no severity": good.replace("warning", "loud"),
        "A does not say what to do": good.replace("description: d", "text: d"),
        "A is about no metric of ours": good.replace("chancery_", "other_"),
        "A lacks labels": good.replace("labels:", "label:"),
    }
    assert not faults(good, page), faults(good, page)
    for want, text in planted.items():
        assert any(want in fault for fault in faults(text, page)), want
    assert len(unseen(good)) == len(MUST_ALERT)
    one = min(MUST_ALERT)
    assert len(unseen(good.replace("chancery_a_total", one))) == len(MUST_ALERT) - 1


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return 0
    root = Path(sys.argv[1])
    rules = (root / RULES).read_text()
    page = "\n".join((root / path).read_text() for path in PAGES)
    found = faults(rules, page) + unseen(rules) + promtool_fault(root / RULES)
    for fault in found:
        print(f"{RULES}: {fault}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
