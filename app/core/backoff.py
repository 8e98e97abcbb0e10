"""How long to wait before trying again."""


def backoff_s(attempt: int, low_s: float, high_s: float, spread: float) -> float:
    """Return the wait before try `attempt`, doubling from `low_s` to `high_s`, s.

    Args:
        attempt: 1 for the first repetition.
        low_s: The first wait.
        high_s: The longest wait.
        spread: A random number from 0 to 1; the wait is that part of its upper half, so that
            many who lost the same peer do not return at the same moment.
    """
    doublings = min(attempt - 1, 32)  # 2**32 s is beyond every high_s; no overflow
    wait_s = min(high_s, low_s * 2.0**doublings)
    return max(low_s, wait_s * (0.5 + 0.5 * spread))
