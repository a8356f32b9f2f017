"""Incidents as the down times of an alternating renewal process."""

from des.faults.intervals import Intervals, joined, none
from des.faults.keys import ClassKeys
from des.faults.succession import alternating
from des.scenario.plan import RenewalIncidents


def renewal(incidents: RenewalIncidents, keys: ClassKeys, until_s: float, start_up: bool) -> Intervals:
    """Down times that start before `until_s`.

    In equilibrium the process is down at 0 with probability mean down / (mean up + mean down), and of the spell that
    covers 0 the residual remains (renewal theory's inspection paradox); else a whole up time begins at 0.
    """
    up, down = incidents.up, incidents.down
    open_at_zero = none()
    if start_up:
        first_s = float(up.sample(keys.stream("first up"), 1)[0])
    elif keys.stream("state at the start").random() * (up.mean + down.mean) < down.mean:
        age_s, residual_s = down.sample_residual(keys.stream("down at the start"), 1)
        open_at_zero = Intervals(-age_s, residual_s).lasting()
        first_s = float(residual_s[0] + up.sample(keys.stream("first up"), 1)[0])
    else:
        first_s = float(up.sample_residual(keys.stream("up at the start"), 1)[1][0])
    return joined(open_at_zero, alternating(down, up, keys, first_s, until_s))
