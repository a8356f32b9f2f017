"""Common causes, surges and shares that cannot be meant get one message in words, at its line and column."""

from collections.abc import Callable

import pytest

Problems = Callable[..., list[str]]

PEERS = """\
horizon: 1y
workload:
  arrivals: {kind: poisson, rate: 1/h}
components:
  cdn:
    incidents: [{kind: poisson, rate: 1.2/y, duration: 1h}]
providers:
  one:
    availability: 99.9%
    episodes_per_year: 12
    models:
      m: {latency: 1s, price: {per_request: 0}}
  two:
    availability: 99.9%
    episodes_per_year: 12
    models:
      m: {latency: 1s, price: {per_request: 0}}
chain:
  - {provider: one}
  - {provider: two}
"""
TWO = "  two:\n    availability: 99.9%\n    episodes_per_year: 12\n"
PAIR = "{members: [one, two], fraction: 10%}"
AN_HOUR = "{kind: poisson, rate: 12/y, duration: 1h}"

WRONG = [
    # Shares.
    ("shared: 1.2", "21:9: shared: expected a share between 0 and 1 (0% to 100%); got 1.2: write 1.2% for per cent"),
    ("shared: -1", "21:9: shared: expected a share such as 0.2% or 0.002; got -1, which is negative"),
    ("shared: some", "21:9: shared: expected a share such as 0.2% or 0.002; got 'some'"),
    (
        "common_cause: {members: [one, two], fraction: 120%}",
        "21:47: common_cause.fraction: expected a share between 0 and 1 (0% to 100%); got '120%'",
    ),
    (
        "common_cause: {members: [one, two], fraction: -10%}",
        "21:47: common_cause.fraction: expected a share such as 0.2% or 0.002; got '-10%', which is negative",
    ),
    # Keys and types.
    (
        "common_cause: {members: [one, two]}",
        "21:1: common_cause.fraction: is required, but missing: write fraction: 10%, for example",
    ),
    (
        "common_cause: {members: [one, two], fractoin: 10%}",
        "21:37: common_cause.fractoin: unknown key 'fractoin'; did you mean 'fraction'?",
    ),
    (
        "common_cause: [{membrs: [one, two], fraction: 10%}]",
        "21:17: common_cause[0].membrs: unknown key 'membrs'; did you mean 'members'?",
    ),
    (
        "common_cause: one",
        "21:15: common_cause: expected a mapping such as {members: [anthropic, openai], fraction: 10%}; got 'one'",
    ),
    ("shard: 0", "21:1: shard: unknown key 'shard'; did you mean 'shared'?"),
    # Members.
    (
        "common_cause: {members: [one, tow], fraction: 10%}",
        "21:31: common_cause.members[1]: unknown component, provider or model 'tow'; did you mean 'two'?",
    ),
    (
        "common_cause: {members: [one, two, one], fraction: 10%}",
        "21:36: common_cause.members[2]: 'one' is already a member",
    ),
    (
        "common_cause: {members: [one], fraction: 10%}",
        "21:25: common_cause.members: a common cause needs at least two members",
    ),
    (
        "common_cause: {members: [one, one/m], fraction: 10%}",
        "21:31: common_cause.members[1]: 'one/m' depends on 'one', another member, and so already has its outages",
    ),
    (
        "common_cause: {members: [one/m, two], fraction: 10%}",
        "21:26: common_cause.members[0]: 'one/m' has no outages of its own, so none can be common",
    ),
    (
        f"common_cause: [{PAIR}, {{members: [two, one], fraction: 5%}}]",
        "21:64: common_cause[1].members: has the same members as another common cause: "
        "write one, with the sum of the fractions",
    ),
    (
        "common_cause: {members: [one, two], fraction: 10%, name: cdn}",
        "21:58: common_cause.name: 'cdn' is already a component",
    ),
    (
        "common_cause: {members: [one, two], fraction: 10%, name: a b}",
        "21:58: common_cause.name: the name 'a b' may have letters, digits and . _ - + only",
    ),
    # Surges.
    (
        "surge: {when: one, to: tow, load: 1.4}",
        "21:24: surge.to: unknown provider or model 'tow'; did you mean 'two'?",
    ),
    (
        "surge: [{when: one, to: two, load: 1.4}, {when: [two, on], to: one/m, load: 1.4}]",
        "21:55: surge[1].when[1]: unknown provider or model 'on'; did you mean 'one'?",
    ),
    (
        "surge: {when: one, to: one, load: 1.4}",
        "21:24: surge.to: 'one' is itself down (when): the load must move to another provider or model",
    ),
    (
        "surge: {when: one/m, to: [two, one], load: 1.4}",
        "21:32: surge.to[1]: 'one' is itself down (when): the load must move to another provider or model",
    ),
    (
        "surge: {when: one, to: [two, two/m], load: 1.4}",
        "21:30: surge.to[1]: 'two/m' is already included in 'two'",
    ),
    (
        "surge: {when: cdn, to: two, load: 1.4}",
        "21:15: surge.when: 'cdn' is a component: a surge goes from providers or models to others",
    ),
    (
        "surge: [{when: one, to: two, load: 1.4}, {when: one/m, to: two/m, load: 2}]",
        "21:60: surge[1].to: a surge with the same when and to is already listed above",
    ),
    ("surge: {when: one, to: two, load: 0}", "21:35: surge.load: expected a number above zero; got 0"),
    (
        "surge: {when: one, to: two, load: -1.4}",
        "21:35: surge.load: expected a number above zero, such as 2.5; got -1.4, which is negative",
    ),
    ("surge: {when: one, to: two}", "21:1: surge.load: is required, but missing: write load: 1, for example"),
    (
        "surge: {when: one, to: two, load: 1.4, capacity: 50}",
        "21:50: surge.capacity: expected a rate such as 50/s, 2/min or 12/y; got 50, which has no unit: "
        "write 50/s, 50/min or 50/y",
    ),
    ("surge: {when: [], to: two, load: 1.4}", "21:15: surge.when: is empty: at least one entry is needed"),
]


@pytest.mark.parametrize(("line", "message"), WRONG)
def test_one_thing_wrong_gives_one_message(line: str, message: str, problems: Problems) -> None:
    assert problems(f"{PEERS}{line}\n") == [f"s.yaml:{message}"]


@pytest.mark.parametrize(
    "line", [f"common_cause: {PAIR}", f"common_cause: [{PAIR}]", "surge: {when: one, to: two, load: 1.4}", "shared: 0"]
)
def test_what_is_right_is_not_refused(line: str, problems: Problems) -> None:
    assert problems(f"{PEERS}{line}\n") == []


def test_a_fraction_beyond_what_a_member_has_is_refused_with_one_that_is_possible(problems: Problems) -> None:
    behind = PEERS.replace(TWO, "  two:\n    depends_on: [cdn]\n" + TWO.removeprefix("  two:\n")).replace(
        "duration: 1h}]", "duration: 40min}]"
    )
    found = problems(f"{behind}common_cause: {{members: [one, two], fraction: 95%}}\n")
    assert found == [
        "s.yaml:22:25: common_cause.members: the outages of 'one' and 'two' differ in duration (lognormal of mean "
        "43.7781 min, sigma 1.3 against lognormal of mean 44.1974 min, sigma 1.3), but a common outage is the same for "
        "both: give them the same, or write the cause as a component that they depend on, such as common_cause: "
        "{incidents: [{kind: poisson, rate: 11.41/y, duration: 43.78min}]}, and lower the rate of their own outages "
        "accordingly (availability and episodes_per_year do that by themselves)"
    ]
    both = behind.replace("  one:\n", "  one:\n    depends_on: [cdn]\n")
    found = problems(f"{both}common_cause: {{members: [one, two], fraction: 95%}}\n")
    assert found == [
        f"s.yaml:23:47: common_cause.fraction: common causes take 11.41 outages a year from '{name}', which has 10.81 "
        "of its own: a fraction of at most 90.01% is possible"
        for name in ("one", "two")
    ]
    assert problems(f"{both}common_cause: {{members: [one, two], fraction: 90.01%}}\n") == []


def test_fractions_that_add_up_to_more_than_all_are_refused(problems: Problems) -> None:
    three = PEERS.replace("chain:\n", f"{TWO.replace('two', 'three')}    models: {{m: {{latency: 1s}}}}\nchain:\n")
    three = three.replace("{m: {latency: 1s}}", "{m: {latency: 1s, price: {per_request: 0}}}")
    causes = "[{members: [one, two], fraction: 70%}, {members: [one, three], fraction: 40%}]"
    (line,) = problems(f"{three}common_cause: {causes}\n")
    assert line.endswith(
        "common_cause[1].fraction: common causes take 13.21 outages a year from 'one', which has 12.01 of its own: "
        "a fraction of at most 30% is possible"
    )
    assert problems(f"{three}common_cause: {causes.replace('40%', '30%')}\n") == []


@pytest.mark.parametrize(
    ("account", "words"),
    [
        (
            "    mttf: 30d\n    mttr: 1h\n",
            "'two' alternates between up and down times (mttf and mttr), so no share",
        ),
        ("", "'two' has no outages of its own, so none can be common"),
        ("    incidents: [{kind: poisson, rate: 12/y, duration: 1h, error_rate: 5%}]\n", "'two' has no outages of"),
        (f"    incidents: [{AN_HOUR}, {AN_HOUR}]\n", "the outages of 'two' must be one class of kind: poisson"),
        (
            "    incidents: [{kind: marked_renewal, between: 30d, duration: 1h}]\n",
            "the outages of 'two' must be one class of kind: poisson, or availability and episodes_per_year",
        ),
        ("    incidents: [{kind: schedule, windows: [{start: 0, duration: 1h}]}]\n", "the outages of 'two' must be"),
    ],
)
def test_members_whose_outages_are_no_poisson_class_are_refused(account: str, words: str, problems: Problems) -> None:
    text = PEERS.replace(TWO, f"  two:\n{account}")
    (line,) = problems(f"{text}common_cause: {PAIR}\n")
    assert f"common_cause.members[1]: {words}" in line


@pytest.mark.parametrize(
    ("incident", "difference"),
    [
        ("{kind: poisson, rate: 12/y, duration: 2h}", "duration (constant of mean 60 min against constant of mean"),
        ("{kind: poisson, rate: 12/y, duration: {kind: exponential, mean: 1h}}", "duration (constant of mean 60 min a"),
        ("{kind: poisson, rate: 12/y, duration: 1h, outcome: overloaded}", "effect, but"),
        ("{kind: poisson, rate: 12/y, duration: 1h, profile: {days: [1, 1, 1, 1, 1, 0, 0]}}", "profile, but"),
    ],
)
def test_members_whose_outages_differ_are_refused(incident: str, difference: str, problems: Problems) -> None:
    text = PEERS.replace(TWO, f"  two:\n    incidents: [{incident}]\n")
    text = text.replace(TWO.replace("two", "one"), f"  one:\n    incidents: [{AN_HOUR}]\n")
    (line,) = problems(f"{text}common_cause: {PAIR}\n")
    assert f"common_cause.members: the outages of 'one' and 'two' differ in {difference}" in line


def test_causes_that_wait_for_each_other_are_refused(problems: Problems) -> None:
    """One shares with two, which depends on c, which shares with d, which depends on one."""
    target = "availability: 99%, episodes_per_year: 50"
    text = PEERS.replace("components:\n", f"components:\n  c: {{{target}}}\n  d: {{{target}, depends_on: [one]}}\n")
    text = text.replace("  two:\n", "  two:\n    depends_on: [c]\n")
    (line,) = problems(f"{text}common_cause: [{PAIR}, {{members: [c, d], fraction: 10%}}]\n")
    assert "common_cause: these common causes depend on each other in a circle" in line


def test_an_arm_answers_for_the_fraction_it_sets(problems: Problems) -> None:
    text = f"{PEERS}common_cause: {PAIR}\narms:\n  as_modelled: {{}}\n  much: {{common_cause: {{fraction: 110%}}}}\n"
    assert problems(text) == [
        "s.yaml:24:35: arms.much.common_cause.fraction: expected a share between 0 and 1 (0% to 100%); got '110%'"
    ]
    text = text.replace("110%", "95%")
    assert problems(text) == []
    found = problems(text.replace("    availability: 99.9%\n", "    depends_on: [cdn]\n    availability: 99.9%\n"))
    assert len(found) == 2
    assert all("26:35: arms.much.common_cause.fraction: common causes take 11.41 outages" in line for line in found)
