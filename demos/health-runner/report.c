/* report.c - one walk over the rows for each form. */
#include "report.h"

#include "out.h"
#include "plot.h"
#include "table.h"

void om_report_fini(struct om_report *r)
{
    for (unsigned i = 0; i < r->count; i++)
        om_result_fini(&r->rows[i].result);
    r->count = 0;
}

unsigned om_report_count(const struct om_report *r, enum om_verdict v)
{
    unsigned n = 0;

    for (unsigned i = 0; i < r->count; i++)
        n += r->rows[i].result.verdict == v;
    return n;
}

/* Why it failed, else what was measured. */
static const char *outcome(const struct om_result *r)
{
    return *r->reason ? r->reason : *r->measured ? r->measured : "-";
}

int om_report_print(const struct om_report *r, struct om_out *out)
{
    static const struct om_column columns[] = {{"PHASE", "number", OM_COLUMN_TEXT},
                                               {"", "name", OM_COLUMN_TEXT},
                                               {"VERDICT", "verdict", OM_COLUMN_TEXT},
                                               {"S", "seconds", OM_COLUMN_COUNT},
                                               {"MEASURED", "outcome", OM_COLUMN_TEXT}};
    json_t *rows = json_array();
    int e;

    for (unsigned i = 0; i < r->count; i++) {
        const struct om_result *res = &r->rows[i].result;
        (void)json_array_append_new(
            rows, json_pack("{s:s,s:s,s:s,s:i,s:s}", "number", r->rows[i].phase->number, "name",
                            r->rows[i].phase->name, "verdict", om_verdict_name(res->verdict),
                            "seconds", (int)(res->seconds + 0.5), "outcome", outcome(res)));
    }
    e = rows ? om_table_print(out, columns, OM_ARRAY_SIZE(columns), rows) : -1;
    json_decref(rows);
    om_out_line(out, "%u held, %u failed, %u skipped, %u not built",
                om_report_count(r, OM_VERDICT_HELD), om_report_count(r, OM_VERDICT_FAILED),
                om_report_count(r, OM_VERDICT_SKIPPED), om_report_count(r, OM_VERDICT_NOT_BUILT));
    return e;
}

json_t *om_report_json(const struct om_report *r)
{
    json_t *rows = json_array();

    for (unsigned i = 0; i < r->count; i++) {
        json_t *row = om_result_json(&r->rows[i].result);
        const struct om_phase *p = r->rows[i].phase;

        (void)json_object_set_new(row, "number", json_string(p->number));
        (void)json_object_set_new(row, "name", json_string(p->name));
        (void)json_object_set_new(row, "asserts", json_string(p->asserts));
        (void)json_array_append_new(rows, row);
    }
    return json_pack("{s:s,s:i,s:i,s:i,s:i,s:o}", "peer", r->peer, "held",
                     om_report_count(r, OM_VERDICT_HELD), "failed",
                     om_report_count(r, OM_VERDICT_FAILED), "skipped",
                     om_report_count(r, OM_VERDICT_SKIPPED), "not_built",
                     om_report_count(r, OM_VERDICT_NOT_BUILT), "phases", rows);
}

/* @text as a page may have it. */
static void put(FILE *to, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '<':
            (void)fputs("&lt;", to);
            break;
        case '>':
            (void)fputs("&gt;", to);
            break;
        case '&':
            (void)fputs("&amp;", to);
            break;
        default:
            (void)fputc(*text, to);
        }
}

static void put_cell(FILE *to, const char *tag, const char *text)
{
    (void)fprintf(to, "<%s>", tag);
    put(to, text);
    (void)fprintf(to, "</%.2s>", tag);
}

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width\"><title>omerta-health</title><style>\n"
    "body{font:15px/1.4 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;"
    "color:#222;background:#fff}\n"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3em .6em;"
    "border-bottom:1px solid #ddd;vertical-align:top}\n"
    "svg{width:100%;height:auto;font-size:10px}.axis{fill:none;stroke:#888}"
    ".dot{stroke:#1565c0;stroke-width:2.4;stroke-linecap:round}.lost{stroke:#c62828}"
    ".mark{stroke:#555;stroke-dasharray:3 3}.bar{fill:#1565c0}.bad{fill:#c62828}"
    ".end{text-anchor:end}\n"
    ".FAILED{color:#c62828;font-weight:bold}.held{color:#2e7d32}\n"
    "</style></head><body>\n";

static void put_phase(FILE *to, const struct om_report_row *row)
{
    const struct om_result *res = &row->result;

    (void)fprintf(to, "<h2>%s ", row->phase->number);
    put(to, row->phase->name);
    (void)fprintf(to,
                  ": <span class=\"%s\">%s</span></h2>\n<p>Wanted: ", om_verdict_name(res->verdict),
                  om_verdict_name(res->verdict));
    put(to, row->phase->asserts);
    (void)fputs(".<br>", to);
    put(to, *res->measured ? res->measured : "nothing was measured");
    if (*res->reason) {
        (void)fputs("<br><span class=\"FAILED\">", to);
        put(to, res->reason);
        (void)fputs("</span>", to);
    }
    (void)fputs("</p>\n", to);
    om_plot_time(to, res);
    if (res->series.answered > 0)
        om_plot_histogram(to, res);
    om_plot_ramp(to, res);
}

void om_report_page(const struct om_report *r, FILE *to)
{
    (void)fputs(head, to);
    (void)fputs("<h1>How well ", to);
    put(to, r->peer);
    (void)fputs(" is reached</h1>\n<table><tr><th>Phase</th><th></th><th>Verdict</th>"
                "<th>Measured</th></tr>\n",
                to);
    for (unsigned i = 0; i < r->count; i++) {
        const struct om_result *res = &r->rows[i].result;
        const char *verdict = om_verdict_name(res->verdict);
        (void)fputs("<tr>", to);
        put_cell(to, "td", r->rows[i].phase->number);
        put_cell(to, "td", r->rows[i].phase->name);
        (void)fprintf(to, "<td class=\"%s\">%s</td>", verdict, verdict);
        put_cell(to, "td", outcome(res));
        (void)fputs("</tr>\n", to);
    }
    (void)fputs("</table>\n", to);
    for (unsigned i = 0; i < r->count; i++)
        if (r->rows[i].result.verdict == OM_VERDICT_HELD ||
            r->rows[i].result.verdict == OM_VERDICT_FAILED)
            put_phase(to, &r->rows[i]);
    (void)fputs("</body></html>\n", to);
}
