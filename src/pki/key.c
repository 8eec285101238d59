#include "pki/key.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/store.h>
#include <openssl/ui.h>

#define KEY_FILE_MAX (64 * 1024)

/* Notes that a passphrase was wanted, and gives none. */
static int
refuse_passphrase(char *text, int size, int writing, void *arg)
{
	bool *asked = arg;

	(void)text;
	(void)size;
	(void)writing;
	*asked = true;
	return -1;
}

/* The first private key that OSSL_STORE finds in file; NULL when none. */
static EVP_PKEY *
load_first_key(BIO *file, const UI_METHOD *ui, bool *asked)
{
	EVP_PKEY *key = NULL;
	OSSL_STORE_CTX *store;

	store = OSSL_STORE_attach(file, "file", NULL, NULL, ui, asked, NULL,
	    NULL, NULL);
	if (store == NULL)
		return NULL;
	if (OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY) == 1) {
		while (key == NULL && !OSSL_STORE_eof(store)) {
			OSSL_STORE_INFO *info = OSSL_STORE_load(store);

			if (info != NULL &&
			    OSSL_STORE_INFO_get_type(info) ==
				OSSL_STORE_INFO_PKEY)
				key = OSSL_STORE_INFO_get1_PKEY(info);
			OSSL_STORE_INFO_free(info);
		}
	}
	(void)OSSL_STORE_close(store);
	return key;
}

static int
check_permissions(int fd, const char *path, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return error_errno(err, "%s", path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERROR_INPUT, "%s: not a file", path);
	if (st.st_size > KEY_FILE_MAX)
		return error_set(err, ERROR_INPUT,
		    "%s: %lld bytes long, too long for a private key", path,
		    (long long)st.st_size);
	if ((st.st_mode & (S_IROTH | S_IWOTH | S_IWGRP)) != 0)
		return error_set(err, ERROR_DENIED,
		    "%s: mode %04o lets others read or write the private key: "
		    "wanted 0600 or 0640",
		    path, (unsigned)(st.st_mode & 07777));
	return 0;
}

/*
 * The file whose permissions were checked is the file that is read: hence the
 * descriptor instead of a URI with the path.
 */
static EVP_PKEY *
load_from_fd(int fd, const char *path, struct error *err)
{
	EVP_PKEY *key = NULL;
	UI_METHOD *ui = NULL;
	BIO *file;
	bool asked = false;

	if (check_permissions(fd, path, err) != 0)
		return NULL;
	if ((file = BIO_new_fd(fd, BIO_NOCLOSE)) == NULL ||
	    (ui = UI_UTIL_wrap_read_pem_callback(refuse_passphrase, 0)) ==
		NULL) {
		(void)error_openssl(err, "%s", path);
		goto out;
	}
	ERR_clear_error();
	key = load_first_key(file, ui, &asked);
	if (key == NULL && asked)
		(void)error_set(err, ERROR_INPUT,
		    "%s: the private key is encrypted: wanted one without "
		    "passphrase",
		    path);
	else if (key == NULL)
		(void)error_set(err, ERROR_INPUT,
		    "%s: no private key that can be read: wanted PEM or DER",
		    path);
	ERR_clear_error();
out:
	UI_destroy_method(ui);
	BIO_free(file);
	return key;
}

EVP_PKEY *
key_load(const char *path, struct error *err)
{
	EVP_PKEY *key;
	int fd;

	/* O_NONBLOCK: a FIFO in place of a file must not hang us. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		int missing = errno == ENOENT || errno == ENOTDIR;

		(void)error_errno(err, "%s", path);
		if (missing)
			err->kind = ERROR_NOT_FOUND;
		return NULL;
	}
	key = load_from_fd(fd, path, err);
	(void)close(fd);
	return key;
}

EVP_PKEY *
key_generate(unsigned bits, unsigned exponent, struct error *err)
{
	EVP_PKEY_CTX *ctx = NULL;
	EVP_PKEY *key = NULL;
	BIGNUM *e = NULL;

	if (bits < 1024 || bits > 4096) {
		(void)error_set(err, ERROR_INPUT,
		    "an RSA key of %u bits: wanted 1024 to 4096", bits);
		return NULL;
	}
	if (exponent != 3 && exponent != 65537) {
		(void)error_set(err, ERROR_INPUT,
		    "an RSA exponent of %u: wanted 3 or 65537", exponent);
		return NULL;
	}
	if ((e = BN_new()) == NULL || BN_set_word(e, exponent) != 1 ||
	    (ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL)) == NULL ||
	    EVP_PKEY_keygen_init(ctx) <= 0 ||
	    EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits) <= 0 ||
	    EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e) <= 0 ||
	    EVP_PKEY_generate(ctx, &key) <= 0)
		(void)error_openssl(err, "cannot make an RSA key of %u bits",
		    bits);
	EVP_PKEY_CTX_free(ctx);
	BN_free(e);
	return key;
}

int
key_write(const char *path, EVP_PKEY *key, struct error *err)
{
	BIO *mem;
	char *data;
	long len;
	int rc = -1;

	if ((mem = BIO_new(BIO_s_mem())) == NULL ||
	    PEM_write_bio_PKCS8PrivateKey(mem, key, NULL, NULL, 0, NULL,
		NULL) != 1) {
		(void)error_openssl(err, "%s: cannot write the key as PEM",
		    path);
	} else {
		/* Borrowed from mem, which wipes it when it is freed. */
		len = BIO_get_mem_data(mem, &data);
		rc = file_create(path, 0600, data, (size_t)len, err);
	}
	BIO_free(mem);
	return rc;
}

void
key_free(EVP_PKEY *key)
{
	EVP_PKEY_free(key);
}
