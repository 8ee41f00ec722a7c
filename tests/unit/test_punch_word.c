/* test_punch_word.c - what one end of a punch tells the other, read from its bytes. */
#include "harness.h"

#include "path/punch.h"

OM_TEST(punch_word_is_what_its_bytes_say)
{
    struct om_punch_profile is = {.class = OM_NAT_STRIDE, .stride = -3, .last = 9, .hops = 5};
    struct om_punch_word w = {.frame = {.nonce = 9}}, out = {.profile = {.hops = 1}};
    struct om_wr wr = om_wr(om_mut(w.frame.profile, sizeof w.frame.profile));

    om_punch_profile_encode(&wr, &is);
    CHECK_OK(om_punch_word_of(&out, &w.frame));
    CHECK(out.frame.nonce == 9 && out.profile.stride == -3 && out.profile.hops == 5);
    w.frame.profile[3] = 200; /* hops */
    CHECK_ERR(om_punch_word_of(&out, &w.frame), OM_E_PARSE);
    w.frame.profile[3] = 2;
    w.frame.step = OM_PUNCH_PROBE;
    CHECK_ERR(om_punch_word_of(&out, &w.frame), OM_E_PARSE);
    CHECK_EQ(out.profile.hops, 5);
}
