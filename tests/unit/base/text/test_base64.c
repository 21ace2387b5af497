#include <criterion/criterion.h>
#include <openssl/sha.h>
#include <string.h>

#include "base/text/base64.h"

/* RFC 4648 §10 */
static const struct {
    const char *text;
    const char *padded;
    const char *url;
} rfc_vectors[] = {
    {"", "", ""},
    {"f", "Zg==", "Zg"},
    {"fo", "Zm8=", "Zm8"},
    {"foo", "Zm9v", "Zm9v"},
    {"foob", "Zm9vYg==", "Zm9vYg"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
};

Test(base64, encodes_the_vectors_of_rfc_4648)
{
    for (size_t i = 0; i < sizeof rfc_vectors / sizeof rfc_vectors[0]; i++) {
        AUTO_FINISH(text_buffer) buffer;
        text_buffer_init(&buffer, 100);
        cr_assert(base64_append(&buffer, rfc_vectors[i].text, strlen(rfc_vectors[i].text)));
        cr_assert_str_eq(text_buffer_text(&buffer), rfc_vectors[i].padded);
        text_buffer_clear(&buffer);
        cr_assert(base64url_append(&buffer, rfc_vectors[i].text, strlen(rfc_vectors[i].text)));
        cr_assert_str_eq(text_buffer_text(&buffer), rfc_vectors[i].url);
    }
}

Test(base64, decodes_the_vectors_of_rfc_4648)
{
    for (size_t i = 0; i < sizeof rfc_vectors / sizeof rfc_vectors[0]; i++) {
        AUTO_FINISH(text_buffer) buffer;
        text_buffer_init(&buffer, 100);
        cr_assert_eq(base64url_decode(rfc_vectors[i].url, strlen(rfc_vectors[i].url), &buffer), OK);
        cr_assert_str_eq(text_buffer_text(&buffer), rfc_vectors[i].text);
    }
}

/* RFC 7636 appendix B */
Test(base64, makes_the_code_challenge_of_rfc_7636)
{
    static const unsigned char octets[] = {116, 24,  223, 180, 151, 153, 224, 37,  79,  250, 96,
                                           125, 216, 173, 187, 186, 22,  212, 37,  77,  105, 214,
                                           191, 240, 91,  88,  5,   88,  83,  132, 141, 121};
    AUTO_FINISH(text_buffer) verifier;
    text_buffer_init(&verifier, 43);
    cr_assert(base64url_append(&verifier, octets, sizeof octets));
    cr_assert_str_eq(verifier.data, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)verifier.data, verifier.length, digest);
    AUTO_FINISH(text_buffer) challenge;
    text_buffer_init(&challenge, 43);
    cr_assert(base64url_append(&challenge, digest, sizeof digest));
    cr_assert_str_eq(challenge.data, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

Test(base64, alphabets_differ_in_two_characters)
{
    AUTO_FINISH(text_buffer) buffer;
    text_buffer_init(&buffer, 100);
    base64_append(&buffer, "\xFB\xFF\xFE", 3);
    base64url_append(&buffer, "\xFB\xFF\xFE", 3);
    cr_assert_str_eq(buffer.data, "+//+-__-");
}

Test(base64, every_length_survives_the_round_trip)
{
    unsigned char bytes[300];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 37 + 11);
    for (size_t length = 0; length <= sizeof bytes; length++) {
        AUTO_FINISH(text_buffer) text;
        AUTO_FINISH(text_buffer) back;
        text_buffer_init(&text, 1000);
        text_buffer_init(&back, 1000);
        cr_assert(base64url_append(&text, bytes, length));
        cr_assert_eq(text.length, (length * 8 + 5) / 6);
        cr_assert_eq(base64url_decode(text_buffer_text(&text), text.length, &back), OK);
        cr_assert_eq(back.length, length);
        cr_assert_eq(memcmp(text_buffer_text(&back), bytes, length), 0);
    }
}

Test(base64, decode_refuses_other_characters_lengths_and_stray_bits)
{
    static const char *const texts[] = {"Z",    "Zm9vY", "Zg==", "Zm8=",   "Zm9v\n",     " Zm9v", "Zm+v",
                                        "Zm/v", "Zh",    "Zm9",  "Zm9vYh", "Z\xC3\xA9g", "Zm.v"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        AUTO_FINISH(text_buffer) buffer;
        text_buffer_init(&buffer, 100);
        text_buffer_append_text(&buffer, "kept");
        cr_assert_eq(base64url_decode(texts[i], strlen(texts[i]), &buffer), ERR_INVALID, "%s", texts[i]);
        cr_assert_str_eq(buffer.data, "kept");
    }
}

Test(base64, decode_says_when_the_result_does_not_fit)
{
    AUTO_FINISH(text_buffer) buffer;
    text_buffer_init(&buffer, 5);
    cr_assert_eq(base64url_decode("Zm9vYmFy", 8, &buffer), ERR_TOO_LARGE);
    cr_assert_eq(buffer.length, 0);
}

Test(base64, encode_that_does_not_fit_changes_nothing)
{
    char bytes[100] = {0};
    AUTO_FINISH(text_buffer) buffer;
    text_buffer_init(&buffer, 100);
    text_buffer_append_text(&buffer, "kept");
    cr_assert_not(base64_append(&buffer, bytes, sizeof bytes));
    cr_assert_str_eq(buffer.data, "kept");
}
