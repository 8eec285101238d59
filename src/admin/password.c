#include "admin/password.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#include <crypt.h>
#include <openssl/crypto.h>

#define METHOD "$y$" /* yescrypt; crypt(5) */
/* Of nothing that anybody can type: it ends in a byte that is none of hashes. */
static const char nobody[] = "$y$j9T$aB3dE5gH7jK9mN1pQ3sT5.$"
			     "0000000000000000000000000000000000000000000";

int
password_check(const char *password, struct error *err)
{
	size_t len = strlen(password);

	if (len >= PASSWORD_MIN && len <= PASSWORD_MAX)
		return 0;
	return error_set(err, ERROR_INPUT,
	    "the password has %zu bytes: expected %d to %d", len, PASSWORD_MIN,
	    PASSWORD_MAX);
}

int
password_hash(const char *password,
    char hash[static ADMINS_PASSWORD_HASH_MAX + 1], struct error *err)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	struct crypt_data *data = xcalloc(1, sizeof(*data));
	const char *made = NULL;
	int rc = 0;

	/* Without random bytes of ours it takes those of the system. */
	if (crypt_gensalt_rn(METHOD, 0, NULL, 0, setting, sizeof(setting)) !=
	    NULL)
		made = crypt_rn(password, setting, data, sizeof(*data));
	if (made == NULL || strlen(made) > ADMINS_PASSWORD_HASH_MAX)
		rc = error_set(err, ERROR_SYSTEM,
		    "the password cannot be hashed with yescrypt");
	else
		memcpy(hash, made, strlen(made) + 1);
	OPENSSL_cleanse(data, sizeof(*data));
	free(data);
	return rc;
}

bool
password_matches(const char *password, const char *hash)
{
	struct crypt_data *data = xcalloc(1, sizeof(*data));
	const char *setting = *hash != '\0' ? hash : nobody;
	const char *made = crypt_rn(password, setting, data, sizeof(*data));
	size_t len = strlen(hash);
	bool same;

	same = made != NULL && len > 0 && strlen(made) == len &&
	    CRYPTO_memcmp(made, hash, len) == 0;
	OPENSSL_cleanse(data, sizeof(*data));
	free(data);
	return same;
}
