"""Itineraries solved to proven optimality by OR-tools CP-SAT, to hold usher's plans against.

Reads {"problems": [...], "seconds": N} from the file that is named, as usher-benches wrote it, and prints one JSON object a
line, in the order of the problems: {"status", "value", "bound", "seconds", "plan"}. The model is written from the problem's own
words and knows nothing of how usher searches: a circuit through start, optional items and one end, beginnings inside
windows, one item of a group at most; what is maximised is the same to the last mark, in integers. The plan is told in the
problem's words, so that usher's check can be held against it as well.
"""

import json
import os
import sys
import time

from ortools.sat.python import cp_model


def solve(problem: dict, seconds: float) -> dict:
    model = cp_model.CpModel()
    walks, items, ends = problem["walks"], problem["items"], problem["ends"]
    start, latest = problem["start"], problem["latest"]
    walking, waiting = problem["walking"], problem["waiting"]
    # Circuit nodes: the start, then the items, then the home that all ends are.
    home = len(items) + 1
    begins, there = [], []
    for number, item in enumerate(items):
        windows = [[window["from"], window["to"]] for window in item["windows"]]
        begins.append(model.new_int_var_from_domain(cp_model.Domain.from_intervals(windows), f"begin {number}"))
        there.append(model.new_bool_var(f"item {number}"))
    last = model.new_int_var(start["time"], max(latest, start["time"]), "last")
    arcs, walked, walked_to_items, which_end = [(home, 0, True)], [], [], {}
    nodes = [None, *range(len(items))]

    for node in nodes:
        place = start["place"] if node is None else items[node]["place"]
        first_left = start["time"] if node is None else items[node]["windows"][0]["from"] + items[node]["duration"]
        left = start["time"] if node is None else begins[node] + items[node]["duration"]
        tail = 0 if node is None else node + 1
        for other, item in enumerate(items):
            walk = walks[place][item["place"]]
            if other == node or walk is None:
                continue
            entry = 0 if place == item["place"] else item["entry"]
            if first_left + walk + entry > item["windows"][-1]["to"]:
                continue
            taken = model.new_bool_var(f"{tail} to item {other}")
            model.add(begins[other] >= left + walk + entry).only_enforce_if(taken)
            arcs.append((tail, other + 1, taken))
            walked.append(walk * taken)
            walked_to_items.append(walk * taken)
        # Of several ends the nearest is never worse: nothing comes after it.
        near = min(((walks[place][end], end) for end in ends if walks[place][end] is not None), default=None)
        if near is None or first_left + near[0] > latest:
            continue
        taken = model.new_bool_var(f"{tail} home")
        model.add(left + near[0] <= latest).only_enforce_if(taken)
        model.add(last == left).only_enforce_if(taken)
        arcs.append((tail, home, taken))
        walked.append(near[0] * taken)
        which_end[tail] = near[1]
    arcs += [(number + 1, number + 1, ~is_there) for number, is_there in enumerate(there)]
    model.add_circuit(arcs)
    # Follows from the circuit; said as well, it helps.
    spans = [
        model.new_optional_fixed_size_interval_var(begins[number], item["duration"], there[number], f"span {number}")
        for number, item in enumerate(items)
    ]
    model.add_no_overlap(spans)
    groups: dict[int, list] = {}
    for number, item in enumerate(items):
        if item["group"] is not None:
            groups.setdefault(item["group"], []).append(there[number])
    for group in groups.values():
        model.add_at_most_one(group)
    # What is neither walked to an item nor spent at one, between start and the end of the last, is waited.
    spent = sum(item["duration"] * there[number] for number, item in enumerate(items))
    waited = last - start["time"] - sum(walked_to_items) - spent
    prizes = sum(item["prize"] * there[number] for number, item in enumerate(items))
    model.maximize(prizes - walking * sum(walked) - waiting * waited)

    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = os.cpu_count() or 1
    begun = time.perf_counter()
    status = solver.solve(model)
    took = time.perf_counter() - begun
    answer = {"status": solver.status_name(status), "seconds": took, "value": None, "bound": None, "plan": None}
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return answer
    following = {tail: head for tail, head, taken in arcs if tail != head and (taken is True or solver.boolean_value(taken))}
    visits, node, place, clock = [], following[0], start["place"], start["time"]
    tail = 0
    while node != home:
        item = items[node - 1]
        arrives, at = clock + walks[place][item["place"]], solver.value(begins[node - 1])
        clock = at + item["duration"]
        visits.append({"item": node - 1, "arrives": arrives, "begins": at, "ends": clock})
        tail, place, node = node, item["place"], following[node]
    end = which_end[tail]
    value = round(solver.objective_value)
    plan = {"visits": visits, "end": end, "home": clock + walks[place][end], "value": value}
    return answer | {"value": value, "bound": round(solver.best_objective_bound), "plan": plan}


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        asked = json.load(file)
    for problem in asked["problems"]:
        print(json.dumps(solve(problem, asked["seconds"])), flush=True)


if __name__ == "__main__":
    main()
