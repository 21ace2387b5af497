"""System calls and allocations that fail, of the daemon and of its libraries: it goes on serving and loses no refresh token.

A sample; all of them: tests/faults/socket_calls, tests/faults/allocations.
"""

import pytest
from faults.call_campaign import FILE_CALLS, MEMORY_CALLS, SANITIZED, SOCKET_CALLS, Campaign

# Each fault takes some 20 ms, and a start a tenth of a second.
SAMPLES = [
    pytest.param({**SOCKET_CALLS, **FILE_CALLS}, 40, False, id="calls"),
    pytest.param(SOCKET_CALLS, 40, True, id="calls-tls"),
    pytest.param({"fcntl": SOCKET_CALLS["fcntl"]}, 1, True, id="non-blocking-tls"),  # libcurl does not look at the outcome
    pytest.param(MEMORY_CALLS, 40, False, id="memory"),
    pytest.param(MEMORY_CALLS, 100, True, id="memory-tls"),
]


@pytest.mark.parametrize("calls, step, with_tls", SAMPLES)
def test_failing_calls_cost_no_service_and_no_token(calls, step, with_tls):
    if SANITIZED and calls is MEMORY_CALLS:
        pytest.skip("AddressSanitizer brings its own allocator, which does not fail")
    # Without memory at the start libseccomp 2.5 loads filters that lack calls: docs/SECURITY.md.
    campaign = Campaign(calls, 4 * step if SANITIZED else step, with_tls, with_starts=calls is not MEMORY_CALLS).run()
    print(campaign.table())
    assert campaign.violations == []
    assert sum(row.faults for row in campaign.rows.values()) >= 10
