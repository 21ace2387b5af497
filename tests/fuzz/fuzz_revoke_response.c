/* Any reply of a revoke endpoint: one class, never tokens, no secret in the words. */
#include "provider_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct grant_context context = reply_context(fuzz_pick(data, size, 0, REPLY_ICLIENT_COUNT));
    AUTO_TEXT body = NULL;
    struct provider_reply reply = reply_read(data, size, &body);
    struct token_outcome outcome;
    revoke_response_read(&context, &reply, &outcome);
    require_outcome(&outcome, &reply);
    REQUIRE(!outcome.tokens, "a revocation brings no tokens");
    bool is_unsupported = strcmp(outcome.code, "unsupported_token_type") == 0;
    REQUIRE(outcome.outcome != OUTCOME_GRANTED || (reply.status >= 200 && reply.status < 300) || is_unsupported,
            "confirmed by %d", reply.status);
    REQUIRE(!is_unsupported || outcome.outcome == OUTCOME_GRANTED, "RFC 7009 §2.2.1");
    token_outcome_finish(&outcome);
    return 0;
}
