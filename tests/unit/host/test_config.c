/* test_config.c - the configuration: its file, its flags, its table. */
#include "harness.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <omerta/log.h>
#include <omerta/node.h>

#include "config.h"
#include "config_keys.h"
#include "config_print.h"

#define PEER "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static char folder[64];
static char path[80];

static void begin(void)
{
    snprintf(folder, sizeof folder, "/tmp/config-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/c.json", folder);
}

static void end(void)
{
    (void)unlink(path);
    CHECK_EQ(rmdir(folder), 0);
}

static void spill(const char *text)
{
    FILE *f = fopen(path, "w");

    CHECK(f != NULL);
    CHECK(fputs(text, f) >= 0);
    CHECK_EQ(fclose(f), 0);
}

OM_TEST(config_keys_are_whole)
{
    size_t bytes = 0;

    for (unsigned i = 0; i < OM_CONFIG_KEYS; i++) {
        const struct om_config_key *key = &om_config_keys[i];
        char want[96];

        CHECK(key->path != NULL);
        CHECK(om_config_key_find(key->path) == key); /* also: no path twice */
        CHECK(om_config_key_flag(key->flag, strlen(key->flag)) == key);
        CHECK(key->help[strlen(key->help) - 1] != '.');
        CHECK(strlen(om_config_key_want(key, want, sizeof want)) > 5);
        CHECK(strlen(want) < sizeof want - 1);
        for (unsigned j = 0; j < i; j++)
            CHECK(om_config_keys[j].at != key->at);
        bytes += key->bytes;
    }
    CHECK(bytes <= sizeof(struct om_config));
    CHECK(sizeof(struct om_config) - bytes < 8 * OM_CONFIG_KEYS); /* no field without a key */
}

OM_TEST(config_keys_near_words_are_found)
{
    CHECK_STR(om_config_key_near("log.levle")->path, "log.level");
    CHECK_STR(om_config_key_near("prot")->path, "port");
    CHECK_STR(om_config_key_near("level")->path, "log.level"); /* its last part is right */
    CHECK_STR(om_config_key_near("logging.file")->path, "log.file");
    CHECK_STR(om_config_key_near_flag("boostrap")->flag, "bootstrap");
    CHECK(om_config_key_near("zzzzzz") == NULL);
    CHECK(om_config_key_near("") == NULL);
    CHECK(om_config_key_near("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa") ==
          NULL);
}

OM_TEST(config_defaults_are_the_keys_own)
{
    static struct om_config c;
    char text[OM_CONFIG_VALUE];

    om_config_default(&c);
    CHECK_EQ(c.port, 18002);
    CHECK_STR(c.bind4, "");
    CHECK_EQ(c.bootstrap.count, 0);
    CHECK(c.network_default && c.lan && c.portmap && c.events && c.seccomp && c.lock_secrets);
    CHECK(!c.relay && !c.audit_encryption);
    CHECK_EQ(c.congestion, OM_CONGESTION_BBR);
    CHECK_EQ(c.log_level, OM_LOG_INFO);
    for (unsigned i = 0; i < OM_CONFIG_KEYS; i++)
        CHECK_STR(om_config_key_print(&om_config_keys[i], &c, text), om_config_keys[i].preset);
}

static const char every[] =
    "{\"port\": 0, \"bind4\": \"192.0.2.1\", \"bind6\": \"2001:db8::1\","
    " \"bootstrap\": [\"" PEER "@192.0.2.1:1\", \"n/" PEER "@[2001:db8::1]:2\"],"
    " \"dns\": {\"upstreams\": [\"192.0.2.53\", \"[2001:db8::53]:5353\"]},"
    " \"relay\": true, \"name\": \"gr\xc3\xbcn\", \"network\": {\"default\": false}, \"lan\": "
    "false, \"portmap\": false,"
    " \"audit_encryption\": true, \"congestion\": \"cubic\","
    " \"log\": {\"level\": \"trace\", \"file\": \"/x/y\", \"rotate_bytes\": 4096, \"keep\": 0},"
    " \"events\": {\"enabled\": false, \"rotate_bytes\": \"1MiB\", \"keep\": 99},"
    " \"metrics\": {\"port\": 9100}, \"limits\": {\"peers\": 1, \"records\": 65536,"
    " \"relay_lanes\": 10, \"relay_lanes_per_peer\": 2, \"relay_rate_bytes\": 1000000},"
    " \"udp\": {\"buffer_bytes\": 0}, \"seccomp\": false, \"lock_secrets\": false}";

OM_TEST(config_file_sets_every_key)
{
    static struct om_config c, preset;
    struct om_error err = {0};
    enum om_err e;

    begin();
    spill(every);
    om_config_default(&c);
    om_config_default(&preset);
    e = om_config_read(&c, path, &err);
    OM_TRY(e == OM_OK);
    CHECK_EQ(om_config_diff(&preset, &c, NULL, NULL), OM_CONFIG_KEYS); /* none is left out */
    CHECK_STR(c.bootstrap.text[1], "n/" PEER "@[2001:db8::1]:2");
    CHECK_EQ(c.bootstrap.count, 2);
    CHECK_EQ(c.dns_upstreams.count, 2);
    CHECK_EQ(c.events_rotate_bytes, 1048576);
    CHECK_EQ(c.log_level, OM_LOG_TRACE);
    CHECK_STR(c.name, "gr\xc3\xbcn");
    /* What a file does not name stays. */
    spill("{\"log\": {\"keep\": 7}}");
    e = om_config_read(&c, path, &err);
    OM_TRY(e == OM_OK);
    CHECK_EQ(c.log_keep, 7);
    CHECK_EQ(c.log_level, OM_LOG_TRACE);
out:
    end();
}

static const struct {
    const char *text, *says;
    enum om_err code;
} bad_files[] = {
    {"{\"log\": {\"levle\": \"info\"}}",
     ": \"log.levle\": unknown key; did you mean \"log.level\"?", OM_E_PARSE},
    {"{\"zzzzzz\": 1}", ": \"zzzzzz\": unknown key", OM_E_PARSE},
    {"{\"log.level\": \"info\"}", ": \"log.level\": want nested objects instead of dots",
     OM_E_PARSE},
    {"{\"log\": {\"log\": {}}}", ": \"log.log\": unknown key", OM_E_PARSE},
    {"{\"log\": \"info\"}", ": \"log\": want an object of keys", OM_E_PARSE},
    {"{\"port\": {\"x\": 1}}", ": \"port\": read an object: want a whole number from 0 to 65535",
     OM_E_PARSE},
    {"{\"port\": 65536}", ": \"port\": read 65536: want a whole number from 0 to 65535",
     OM_E_PARSE},
    {"{\"port\": -1}", ": \"port\": read -1: want a whole number from 0 to 65535", OM_E_PARSE},
    {"{\"port\": 1.5}", ": \"port\": read 1.5: want a whole number from 0 to 65535", OM_E_PARSE},
    {"{\"port\": \"1\"}", ": \"port\": read \"1\": want a whole number from 0 to 65535",
     OM_E_PARSE},
    {"{\"port\": null}", ": \"port\": read null: want a whole number from 0 to 65535", OM_E_PARSE},
    {"{\"relay\": 1}", ": \"relay\": read 1: want true or false", OM_E_PARSE},
    {"{\"congestion\": \"reno\"}", ": \"congestion\": read \"reno\": want bbr or cubic",
     OM_E_PARSE},
    {"{\"log\": {\"level\": \"loud\"}}",
     ": \"log.level\": read \"loud\": want error, warn, info, debug or trace", OM_E_PARSE},
    {"{\"log\": {\"rotate_bytes\": 1}}",
     ": \"log.rotate_bytes\": read 1: want 0 or bytes from 4KiB to 1TiB", OM_E_PARSE},
    {"{\"log\": {\"rotate_bytes\": \"1 furlong\"}}",
     ": \"log.rotate_bytes\": read \"1 furlong\": want 0 or bytes from 4KiB to 1TiB", OM_E_PARSE},
    {"{\"name\": \"a\\u001b[2J\"}",
     ": \"name\": \"a\\x1b[2J\": want at most 32 bytes of visible text", OM_E_RANGE},
    {"{\"bind4\": \"::1\"}", ": \"bind4\": \"::1\": want an IPv4 address, or \"\" for all",
     OM_E_PARSE},
    {"{\"bootstrap\": \"" PEER "@h:1\"}", ": want [NETWORK/]PEER@HOST:PORT", OM_E_PARSE},
    {"{\"bootstrap\": [\"x\"]}", ": \"bootstrap\": \"x\": no \"@\"; want PEER@HOST:PORT",
     OM_E_PARSE},
    {"{\"dns\": {\"upstreams\": [\"ns.example\"]}}", ": want", OM_E_PARSE},
    {"{\"bootstrap\": [1]}", ": \"bootstrap\": read 1: want [NETWORK/]PEER@HOST:PORT", OM_E_PARSE},
    {"{\"port\": 1, \"port\": 2}", ":1:18: duplicate object key near 'port'", OM_E_PARSE},
    {"{\"port\": 1,\n  // no\n}", ":2:3: string or '}' expected near '/'", OM_E_PARSE},
    {"{\"port\": 1} x", "end of file expected near 'x'", OM_E_PARSE},
    {"{\"port\": 1", ":1:10: '}' expected near end of file", OM_E_PARSE},
    {"[]", ": want one object of keys", OM_E_PARSE},
    {"", ":1:0: '[' or '{' expected near end of file", OM_E_PARSE},
};

OM_TEST(config_refuses_bad_files_with_a_sentence)
{
    static struct om_config c;
    struct om_error err = {0};
    FILE *f;

    begin();
    om_config_default(&c);
    for (size_t i = 0; i < OM_ARRAY_SIZE(bad_files); i++) {
        spill(bad_files[i].text);
        enum om_err e = om_config_read(&c, path, &err);

        OM_TRY(e == bad_files[i].code);
        CHECK(strncmp(err.msg, path, strlen(path)) == 0);
        if (!strstr(err.msg, bad_files[i].says))
            fail_msg("\"%s\" does not say \"%s\"", err.msg, bad_files[i].says);
    }
    f = fopen(path, "w");
    CHECK(f != NULL);
    for (int i = 0; i <= OM_CONFIG_FILE_MAX; i++)
        CHECK_EQ(fputc(' ', f), ' ');
    CHECK_EQ(fclose(f), 0);
    OM_TRY(om_config_read(&c, path, &err) == OM_E_RANGE);
    CHECK_EQ(unlink(path), 0);
    OM_TRY(om_config_read(&c, path, &err) == OM_E_MISSING);
    CHECK(strstr(err.msg, ": cannot be read: No such file") != NULL);
    OM_TRY(om_config_read(&c, folder, &err) == OM_E_STATE);
out:
    end();
}

OM_TEST(config_failed_read_changes_nothing)
{
    static struct om_config c, was;
    enum om_err e;

    begin();
    om_config_default(&c);
    c.port = 7;
    was = c;
    spill("{\"port\": 1, \"name\": \"n\", \"log\": {\"keep\": 100}}");
    CHECK(om_config_read(&c, path, NULL) != OM_OK);
    CHECK_MEM(&c, &was, sizeof c);
    spill("{\"port\": 1, \"name\": \"n\", \"log\": {\"keep\": 99}}");
    e = om_config_read(&c, path, NULL);
    OM_TRY(e == OM_OK);
    CHECK_EQ(c.port, 1);
    CHECK_STR(c.name, "n");
out:
    end();
}

/* The flags of @argv, which NULL ends, into @f. */
static enum om_err take(struct om_config_flags *f, const char *const *argv, struct om_error *err)
{
    static char kept[64][128]; /* as argv lives on */
    static unsigned next;
    char *all[8];
    int argc = 0, at = 0;
    enum om_err e = OM_OK;

    for (; argv[argc]; argc++) {
        next = (next + 1) % 64;
        snprintf(kept[next], sizeof kept[next], "%s", argv[argc]);
        all[argc] = kept[next];
    }
    while (e == OM_OK && at < argc)
        e = om_config_flag(f, argc, all, &at, err);
    return e;
}

OM_TEST(config_flags_override_the_file)
{
    static struct om_config c;
    struct om_config_flags f = {0};
    struct om_error err = {0};
    enum om_err e;

    begin();
    spill(every);
    om_config_default(&c);
    e = om_config_read(&c, path, &err);
    OM_TRY(e == OM_OK);
    CHECK_OK(take(&f,
                  (const char *const[]){"--port", "18003", "--no-relay", "--lan",
                                        "--log-level=warn", "--seccomp=true", "--name=", NULL},
                  &err));
    CHECK_OK(take(&f,
                  (const char *const[]){"--bootstrap", PEER "@c:3", "--bootstrap=" PEER "@d:4",
                                        "--log-rotate-bytes", "2MiB", NULL},
                  &err));
    CHECK_OK(om_config_apply(&c, &f, &err));
    CHECK_EQ(c.port, 18003);
    CHECK(!c.relay && c.lan && c.seccomp);
    CHECK_EQ(c.log_level, OM_LOG_WARN);
    CHECK_STR(c.name, "");
    CHECK_EQ(c.bootstrap.count, 2); /* the file's two are gone */
    CHECK_STR(c.bootstrap.text[0], PEER "@c:3");
    CHECK_STR(c.bootstrap.text[1], PEER "@d:4");
    CHECK_EQ(c.log_rotate_bytes, 2 * 1024 * 1024);
    CHECK_EQ(c.log_keep, 0); /* of the file */
    CHECK_OK(om_config_apply(&c, &f, &err));
    CHECK_EQ(c.bootstrap.count, 2); /* and once more changes nothing */
out:
    end();
}

OM_TEST(config_refuses_bad_flags_with_a_sentence)
{
    static const struct {
        const char *argv[3];
        enum om_err code;
        const char *says;
    } bad[] = {
        {{"--prot", "1"}, OM_E_MISSING, "--prot: unknown flag; did you mean --port?"},
        {{"--no-realy"}, OM_E_MISSING, "--no-realy: unknown flag; did you mean --relay?"},
        {{"--no-port"}, OM_E_MISSING, "--no-port: unknown flag; did you mean --port?"},
        {{"--zzzzzzz=1"}, OM_E_MISSING, "--zzzzzzz: unknown flag"},
        {{"port"}, OM_E_MISSING, "\"port\": no flag"},
        {{"--port"}, OM_E_PARSE, "--port: no value: want a whole number from 0 to 65535"},
        {{"--name", "--lan"},
         OM_E_PARSE,
         "--name: no value: want at most 32 bytes of visible text"},
    };
    static const struct {
        const char *arg, *says;
        enum om_err code;
    } bad_values[] = {
        {"--port=x", "--port: read \"x\": want a whole number from 0 to 65535", OM_E_PARSE},
        {"--port=65536", "--port: read \"65536\": want a whole number from 0 to 65535", OM_E_RANGE},
        {"--relay=1", "--relay: read \"1\": want true or false", OM_E_PARSE},
        {"--bind6=1", "--bind6: \"1\": want an IPv6 address, or \"\" for all", OM_E_PARSE},
    };
    static struct om_config c, was;
    struct om_config_flags f;
    struct om_error err;

    om_config_default(&c);
    was = c;
    for (size_t i = 0; i < OM_ARRAY_SIZE(bad); i++) {
        f.count = 0;
        CHECK_ERR(take(&f, bad[i].argv, &err), bad[i].code);
        CHECK_STR(err.msg, bad[i].says);
        CHECK_EQ(f.count, 0);
    }
    for (size_t i = 0; i < OM_ARRAY_SIZE(bad_values); i++) {
        f.count = 0;
        CHECK_OK(take(&f, (const char *const[]){"--lan=false", bad_values[i].arg, NULL}, &err));
        CHECK_ERR(om_config_apply(&c, &f, &err), bad_values[i].code);
        CHECK_STR(err.msg, bad_values[i].says);
        CHECK_MEM(&c, &was, sizeof c);
    }
    f.count = 0;
    for (int i = 0; i < OM_CONFIG_LIST_MAX; i++)
        CHECK_OK(take(&f, (const char *const[]){"--bootstrap=" PEER "@h:1", NULL}, &err));
    CHECK_OK(om_config_apply(&c, &f, &err));
    CHECK_OK(take(&f, (const char *const[]){"--bootstrap=" PEER "@h:1", NULL}, &err));
    CHECK_ERR(om_config_apply(&c, &f, &err), OM_E_FULL);
    while (f.count < OM_CONFIG_FLAGS_MAX)
        CHECK_OK(take(&f, (const char *const[]){"--lan", NULL}, &err));
    CHECK_ERR(take(&f, (const char *const[]){"--lan", NULL}, &err), OM_E_FULL);
}

static void note(void *self, const struct om_config_key *key, const char *was, const char *is)
{
    char *all = self;
    size_t n = strlen(all);

    snprintf(all + n, 512 - n, "%s %s>%s %d;", key->path, was, is, key->needs_restart);
}

OM_TEST(config_diff_tells_old_new_and_restart)
{
    static struct om_config was, is;
    char all[512] = "";

    om_config_default(&was);
    is = was;
    CHECK_EQ(om_config_diff(&was, &is, note, all), 0);
    CHECK_STR(all, "");
    is.port = 1;
    is.log_level = OM_LOG_DEBUG;
    is.relay = true;
    is.bootstrap.count = 2;
    memcpy(is.bootstrap.text[0], "a", 2);
    memcpy(is.bootstrap.text[1], "b", 2);
    CHECK_EQ(om_config_diff(&was, &is, note, all), 4);
    CHECK_STR(all, "port 18002>1 1;bootstrap >a, b 0;relay false>true 0;log.level info>debug 0;");
}

OM_TEST(config_every_key_sets_and_prints)
{
    static struct om_config c;
    char text[OM_CONFIG_VALUE];

    om_config_default(&c);
    for (unsigned i = 0; i < OM_CONFIG_KEYS; i++) {
        const struct om_config_key *key = &om_config_keys[i];

        if (key->kind == OM_CONFIG_LIST)
            continue;
        CHECK_OK(om_config_key_set(key, &c, key->preset, "test", NULL));
        CHECK_STR(om_config_key_print(key, &c, text), key->preset);
        for (unsigned w = 0; key->words && key->words[w]; w++) {
            CHECK_OK(om_config_key_set(key, &c, key->words[w], "test", NULL));
            CHECK_STR(om_config_key_print(key, &c, text), key->words[w]);
        }
    }
}

OM_TEST(config_default_file_reads_back)
{
    static struct om_config c, preset;
    struct om_error err = {0};
    struct stat st;
    enum om_err e;

    begin();
    e = om_config_write_default(path, &err);
    OM_TRY(e == OM_OK);
    CHECK_EQ(stat(path, &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0600);
    om_config_default(&preset);
    om_config_default(&c);
    c.port = 1;
    c.lan = false;
    c.bootstrap.count = 1;
    memcpy(c.name, "x", 2);
    e = om_config_read(&c, path, &err);
    OM_TRY(e == OM_OK);
    CHECK_EQ(om_config_diff(&preset, &c, NULL, NULL), 0); /* the file names every key */
    CHECK_ERR(om_config_write_default(path, &err), OM_E_EXISTS);
    CHECK(strstr(err.msg, "cannot be created: File exists") != NULL);
    CHECK_ERR(om_config_write_default("/nowhere/c.json", &err), OM_E_STATE);
out:
    end();
}

OM_TEST(config_shipped_file_is_the_generated_one)
{
    static char ours[4096], shipped[4096];
    FILE *f = fmemopen(ours, sizeof ours - 1, "w");

    CHECK(f != NULL);
    OM_TRY(om_config_print_json(f));
    CHECK_EQ(fflush(f), 0);
    CHECK_EQ(fclose(f), 0);
    f = fopen(OM_VECTORS_DIR "/../../meshd/dist/config.json", "r");
    CHECK(f != NULL);
    shipped[fread(shipped, 1, sizeof shipped - 1, f)] = 0;
    CHECK_EQ(fclose(f), 0);
    CHECK_STR(shipped, ours);
    return;
out:
    (void)fclose(f);
}

OM_TEST(config_man_and_help_name_every_key)
{
    char man[16384] = "", help[8192] = "", flag[64];
    FILE *f = fmemopen(man, sizeof man - 1, "w");

    CHECK(f != NULL);
    om_config_print_man(f);
    CHECK_EQ(fclose(f), 0);
    f = fmemopen(help, sizeof help - 1, "w");
    CHECK(f != NULL);
    om_config_print_help(f);
    CHECK_EQ(fclose(f), 0);
    CHECK(strlen(man) < sizeof man - 2 && strlen(help) < sizeof help - 2);
    for (unsigned i = 0; i < OM_CONFIG_KEYS; i++) {
        snprintf(flag, sizeof flag, "--%s%s",
                 om_config_keys[i].kind == OM_CONFIG_BOOL ? "[no-]" : "", om_config_keys[i].flag);
        CHECK(strstr(help, flag) != NULL);
        snprintf(flag, sizeof flag, ".TP\n.BR \"%s", om_config_keys[i].path);
        CHECK(strstr(man, flag) != NULL);
    }
    CHECK(strstr(man, "UDP port") != NULL);
    for (const char *line = help, *next; (next = strchr(line, '\n')); line = next + 1)
        CHECK(next - line <= 100);
}

OM_TEST(config_name_falls_back_to_the_host)
{
    static struct om_config c;
    char out[OM_NAME_MAX + 1], host[256] = "";

    om_config_default(&c);
    CHECK_EQ(gethostname(host, sizeof host - 1), 0);
    host[strcspn(host, ".")] = 0;
    om_config_name(&c, out);
    CHECK_EQ(strlen(out), strlen(host) < OM_NAME_MAX ? strlen(host) : OM_NAME_MAX);
    CHECK_EQ(strncmp(out, host, OM_NAME_MAX), 0);
    memcpy(c.name, "mine", 5);
    CHECK_STR(om_config_name(&c, out), "mine");
}
