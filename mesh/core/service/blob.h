/*
 * blob.h - bytes inside the JSON of a call
 *
 * What:  {"b": "..."} in base64url, for methods whose arguments are not for people.
 * Keeps: blob_round_trips; blob_refuses_what_is_none.
 */
#ifndef OM_SERVICE_BLOB_H
#define OM_SERVICE_BLOB_H

#include <omerta/bytes.h>
#include <omerta/err.h>

/**
 * om_blob_wrap() - bytes to JSON
 * @blob:  at most 40 KiB
 * @out:   receives text owned by the caller (free())
 *
 * Return: OM_OK, OM_E_RANGE, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_blob_wrap(struct om_bytes blob, struct om_mut *out);

/**
 * om_blob_unwrap() - and back
 * @text:  a JSON object
 * @out:   receives bytes owned by the caller (free())
 *
 * Return: OM_OK, OM_E_PARSE, OM_E_RANGE, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_blob_unwrap(struct om_bytes text, struct om_mut *out);

#endif
