/*
 * store_schema.h - the tables of mesh.db, and the way from one version of them to the next
 *
 * What:  a list of steps; step n makes version n of version n - 1. PRAGMA user_version says which
 *        one a file has.
 * Why:   a home must survive every upgrade; and a file from the future is better left alone than
 *        guessed at.
 * Keeps: store_schema_migrates_step_by_step; store_schema_failed_step_changes_nothing;
 *        store_refuses_a_file_of_the_future.
 *
 * A step that was released is never edited: the next one mends it.
 */
#ifndef OM_HOST_STORE_SCHEMA_H
#define OM_HOST_STORE_SCHEMA_H

#include <sqlite3.h>

#include <omerta/err.h>

/**
 * om_store_schema() - the steps that this program knows
 * @count:  set to how many: the version of a file it writes
 *
 * Return: @count SQL texts.
 */
const char *const *om_store_schema(int *count);

/**
 * om_store_migrate() - bring a file to the newest version, all steps in one transaction
 * @db:     open, no transaction
 * @path:   for the sentence
 * @steps:  SQL texts
 * @count:  of them
 * @err:    sentence for a person; may be NULL
 *
 * Return: OM_OK; OM_E_UNSUPPORTED when the file is newer than @count; what om_store_fail() says.
 */
OM_MUST enum om_err om_store_migrate(sqlite3 *db, const char *path, const char *const *steps,
                                     int count, struct om_error *err);

/**
 * om_store_fail() - the error that SQLite just reported, as ours
 * @db:    where it happened; may be NULL
 * @path:  for the sentence
 * @what:  what was tried: "open", "read"
 * @err:   sentence for a person; may be NULL
 *
 * Return: OM_E_PARSE for a damaged file, OM_E_NO_MEM, else OM_E_STATE.
 */
enum om_err om_store_fail(sqlite3 *db, const char *path, const char *what, struct om_error *err);

#endif
