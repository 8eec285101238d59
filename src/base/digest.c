#include "base/digest.h"
#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>

#define PIECE (256 * 1024)

static int
feed(EVP_MD_CTX *context, int fd, char *piece, struct error *err)
{
	off_t offset = 0;

	for (;;) {
		ssize_t n = pread(fd, piece, PIECE, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, "cannot read");
		if (n == 0)
			return 0;
		if (EVP_DigestUpdate(context, piece, (size_t)n) != 1)
			return error_openssl(err, "cannot compute SHA-256");
		offset += n;
	}
}

int
digest_file(int fd, uint8_t digest[static DIGEST_BYTES], struct error *err)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	char *piece = xmalloc(PIECE);
	int rc = -1;

	if (context == NULL ||
	    EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
		(void)error_openssl(err, "cannot compute SHA-256");
	else if (feed(context, fd, piece, err) == 0)
		rc = EVP_DigestFinal_ex(context, digest, NULL) == 1 ?
		    0 :
		    error_openssl(err, "cannot compute SHA-256");
	free(piece);
	EVP_MD_CTX_free(context);
	return rc;
}
