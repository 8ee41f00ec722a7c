/*
 * sealed_file.h - a link in a file that a password opens
 *
 * What:  writes a text sealed under a password, and reads it back.
 * Why:   a link that lies on a stick or in a mail is whoever's finds it; a password is told
 *        otherwise.
 * Keeps: test_export_and_import; test_sealed_file_is_whole_or_nothing;
 *        test_sealed_file_opens_by_its_description.
 *
 *     8 B "omkey01\0", 16 B salt, 24 B nonce, secretbox of the text under a key of 32 B:
 *     Argon2id version 1.3 of password and salt, 3 passes, 256 MiB, 1 lane
 *
 * What Argon2id costs is fixed by the version: a file cannot ask for more memory than that.
 *
 * Source: RFC 9106 (Argon2id); libsodium, crypto_pwhash (moderate limits), crypto_secretbox.
 */
#ifndef OM_CLI_SEALED_FILE_H
#define OM_CLI_SEALED_FILE_H

#include "link_text.h"

/**
 * om_sealed_file_write() - make it; never in the place of another
 * @path:      of the file; mode 0600
 * @text:      terminated, less than OM_LINK_TEXT_MAX bytes
 * @password:  terminated
 * @err:       sentence for a person
 *
 * Return: OM_OK; OM_E_EXISTS; OM_E_RANGE; OM_E_STATE; OM_E_NO_MEM for want of what Argon2id needs.
 */
OM_MUST enum om_err om_sealed_file_write(const char *path, const char *text, const char *password,
                                         struct om_error *err);

/**
 * om_sealed_file_read() - open it
 * @out:       terminated; wiped by the caller, all zero after an error
 * @path:      of the file
 * @password:  terminated
 * @err:       sentence for a person
 *
 * Return: OM_OK; OM_E_CRYPTO for another password or a file that was changed; OM_E_PARSE for one of
 * another kind; OM_E_MISSING, OM_E_STATE, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_sealed_file_read(char out[static OM_LINK_TEXT_MAX], const char *path,
                                        const char *password, struct om_error *err);

#endif
