/*
 * config_print.h - the table of keys as a file, a man page section and help
 *
 * What:  config.json with every key at its default; roff; the lines of --help.
 * Why:   JSON has no comments: the man page is where the keys are explained, and what is generated
 *        cannot disagree with what is read.
 * Keeps: config_default_file_reads_back; config_shipped_file_is_the_generated_one;
 *        config_man_and_help_name_every_key.
 */
#ifndef OM_MESHD_CONFIG_PRINT_H
#define OM_MESHD_CONFIG_PRINT_H

#include <stdbool.h>
#include <stdio.h>

/** om_config_print_json() - config.json with all defaults to @to; false when it was not written. */
bool om_config_print_json(FILE *to);

/** om_config_print_man() - the section CONFIGURATION KEYS in man(7) roff to @to. */
void om_config_print_man(FILE *to);

/** om_config_print_help() - a line or two for each flag to @to, at most 100 columns wide. */
void om_config_print_help(FILE *to);

/** om_config_print_keys() - every key, what it means and wants, to @to. */
void om_config_print_keys(FILE *to);

/** om_config_print_keys_json() - the same as an array to @to; false when it was not written. */
bool om_config_print_keys_json(FILE *to);

#endif
