"""Health checks: probes in a row decide."""


def after_probe(
    healthy: bool, streak: int, *, passed: bool, unhealthy_after: int, healthy_after: int
) -> tuple[bool, int]:
    """(healthy, streak) one probe later; the streak counts the last probes that speak against the state.

    So many failures in a row make it unhealthy, so many passes in a row healthy again (Envoy's and Kubernetes'
    thresholds alike).
    """
    if passed == healthy:
        return healthy, 0
    streak += 1
    if streak >= (unhealthy_after if healthy else healthy_after):
        return passed, 0
    return healthy, streak
