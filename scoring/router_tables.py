"""The tables of routers and references: gains, what trade-offs are worth, single decisions."""

from typing import Any

from scoring.cells import chosen_at, ordered, table
from scoring.number_formats import decimals, percent, plain, seconds, signed_percent, span, usd
from scoring.table_formats import UNKNOWN, Table


def router_tables(result: dict[str, Any]) -> list[Table]:
    """Gains; where there are routers, what their trade-offs are worth and their decisions."""
    tables = [gains_table(result)]
    return tables + ([trade_off_table(result), decision_table(result)] if result["routers"] else [])


def gains_table(result: dict[str, Any]) -> Table:
    """How references and routers compare with Random, Best Single and the Oracle."""
    level = _level(result)
    hard = {(row["kind"], row["name"]): row["hard_accuracy"] for row in result["hardness"]["rows"]}
    return table(
        "metrics",
        "Metrics",
        "Percent unless a unit is given. Cost: USD of one test set. Intervals: paired bootstrap over queries.",
        ordered(result["references"]) + ordered(result["routers"]),
        [
            ("Gain@R", lambda row: signed_percent(row["gain_at_random"])),
            ("Gain@B", lambda row: signed_percent(row["gain_at_best_single"])),
            (f"{level} interval of Gain@B", lambda row: span(row["gain_at_best_single_interval"], signed_percent)),
            ("Gap@O", lambda row: percent(row["gap_at_oracle"])),
            ("Regret", lambda row: percent(row["regret"])),
            ("Pooled", lambda row: percent(row["pooled_acc"])),
            ("1–3 right", lambda row: percent(hard[row["kind"], row["name"]])),
            ("Cost USD", lambda row: usd(row["cost_usd"])),
            (f"{level} interval of cost", lambda row: span(row["cost_usd_interval"], usd)),
            ("Arena", lambda row: percent(row["arena_score"])),
        ],
    )


def trade_off_table(result: dict[str, Any]) -> Table:
    """What each router's curve is worth."""
    level = _level(result)
    return table(
        "curves",
        "Trade-offs",
        "θ: the trade-off. PerfGain and CostSave with θ chosen on held-out training queries, and what AvgAcc is there "
        "beside Best Single's; then as published, θ* and θ† chosen on the test curve itself. Distances in units of the "
        "axes' ranges, all else percent.",
        ordered(result["routers"]),
        [
            ("θ", lambda row: plain(row["trade_off"])),
            ("PerfGain", lambda row: signed_percent(row["perf_gain_validated"])),
            (f"{level} interval of PerfGain", lambda row: span(row["perf_gain_validated_interval"], signed_percent)),
            ("CostSave", lambda row: chosen_at(row, "cost_save_validated")),
            (f"{level} interval of CostSave", lambda row: span(row["cost_save_validated_interval"], signed_percent)),
            ("Δ there", lambda row: signed_percent(row["saver_difference"])),
            ("PerfGain (θ*)", lambda row: chosen_at(row, "perf_gain")),
            ("CostSave (θ†)", lambda row: chosen_at(row, "cost_save")),
            ("ParetoDist", lambda row: decimals(row["pareto_dist"], 4)),
            ("HullDist", lambda row: decimals(row["hull_dist"], 4)),
            ("AIQ", lambda row: percent(row["aiq"])),
            ("Hypervolume", lambda row: percent(row["hypervolume"])),
            ("APGR", lambda row: percent(row["apgr"])),
            ("CPT 50", lambda row: percent(row["cpt_50"])),
            ("CPT 80", lambda row: percent(row["cpt_80"])),
        ],
        [("Above models", lambda row: _yes_no(row["is_above_models"]))],
    )


def decision_table(result: dict[str, Any]) -> Table:
    """How good single decisions are and what they take."""
    return table(
        "decisions",
        "Decisions",
        "Percent unless a unit is given. Opt.: how often the cheapest of the best models was chosen; its cost over the "
        "cost paid; accuracy over the Oracle's. Overhead: embedding and routing, in batches. Times: means over seeds.",
        ordered(result["routers"]),
        [
            ("Opt.Sel", lambda row: percent(row["opt_selection"])),
            ("Opt.Cost", lambda row: percent(row["opt_cost"])),
            ("Opt.Acc", lambda row: percent(row["opt_accuracy"])),
            ("Entropy bits", lambda row: decimals(row["entropy_bits"], 2)),
            ("Overhead ms/query", lambda row: seconds(row["overhead_ms"])),
            ("Overhead USD", lambda row: usd(row["overhead_usd"])),
            ("Fit s", lambda row: seconds(row["fit_s"])),
            ("Route s", lambda row: seconds(row["route_s"])),
        ],
    )


def _level(result: dict[str, Any]) -> str:
    return f"{100 * result['bootstrap']['level']:g}%"


def _yes_no(answer: bool | None) -> str:
    return UNKNOWN if answer is None else "yes" if answer else "no"
