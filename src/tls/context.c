#include "tls/context.h"
#include "base/mem.h"
#include "pki/anchors.h"
#include "pki/cert.h"
#include "pki/chain.h"
#include "tls/algorithms.h"
#include "tls/internal.h"
#include "tls/key_batch.h"
#include "tls/session.h"
#include "tls/settle.h"
#include "tls/tickets.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

/*
 * DHE is left out of both policies.  Each device that offers it offers plain
 * RSA or ECDHE too ([LINKSYS-PROV] p. 24, [MPP-SEC]), what groups the old
 * ones can take is not known, and a 2048-bit exchange costs the server more
 * than the signature does.
 */
#define LEGACY_CIPHERS \
	"kECDHE+AESGCM:kRSA+AESGCM:kECDHE+AES:kRSA+AES:" \
	"!AESCCM:!aNULL:!eNULL:!PSK:!SRP"
#define MODERN_CIPHERS "kECDHE+AESGCM:kECDHE+CHACHA20:!aNULL:!PSK"

/* Bytes of the Certificate message of a peer; a MIC with both its issuers is
 * about 4 kB long. */
#define PEER_CHAIN_MAX (2 * CERT_DER_MAX)
#define PEER_CHAIN_DEPTH 4

struct tls_context *
tls_context_use(struct tls_context *context)
{
	atomic_fetch_add(&context->references, 1);
	return context;
}

void
tls_context_free(struct tls_context *context)
{
	if (context == NULL || atomic_fetch_sub(&context->references, 1) != 1)
		return;
	for (size_t i = 0; i < TLS_VERSIONS; i++)
		tls_settle_free(atomic_load(&context->settled[i]));
	SSL_CTX_free(context->ssl_ctx);
	verify_cache_free(context->verifications);
	EVP_MD_free(context->sha256);
	tickets_free(context->tickets);
	EVP_CIPHER_free(context->ticket_cipher);
	batch_key_release(context->batch_key);
	free(context);
}

/* What servers and clients have in common; library NULL is OpenSSL's own. */
static struct tls_context *
new_context(OSSL_LIB_CTX *library, const SSL_METHOD *method, struct error *err)
{
	struct tls_context *context = xcalloc(1, sizeof(*context));
	SSL_CTX *ctx;

	atomic_init(&context->references, 1);
	ERR_clear_error();
	context->library = library;
	ctx = context->ssl_ctx = SSL_CTX_new_ex(library, NULL, method);
	if (ctx == NULL) {
		(void)error_openssl(err, "cannot make a TLS context");
		tls_context_free(context);
		return NULL;
	}
	/*
	 * Many devices end a connection with a bare FIN.  HTTP tells by
	 * Content-Length whether something is missing.
	 */
	(void)SSL_CTX_set_options(ctx,
	    SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
		SSL_OP_IGNORE_UNEXPECTED_EOF);
	(void)SSL_CTX_set_mode(ctx,
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS |
		SSL_MODE_NO_AUTO_CHAIN);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_max_cert_list(ctx, PEER_CHAIN_MAX);
	SSL_CTX_set_verify_depth(ctx, PEER_CHAIN_DEPTH);
	SSL_CTX_set_info_callback(ctx, tls_conn_see_event);
	return context;
}

/* key NULL: that of the chain.  wanted goes into the message: what the security level asks for, or "". */
static int
show_chain(SSL_CTX *ctx, const struct chain *chain, EVP_PKEY *key,
    const char *wanted, struct error *err)
{
	/* Made before anything fails: it empties OpenSSL's queue of errors. */
	char *subject = cert_subject_text(chain_certificate(chain, 0));
	STACK_OF(X509) *issuers = sk_X509_new_null();
	int ok = issuers != NULL;

	for (size_t i = 1; i < chain_length(chain) && ok; i++)
		ok = sk_X509_push(issuers, chain_certificate(chain, i)) > 0;
	ok = ok &&
	    SSL_CTX_use_cert_and_key(ctx, chain_certificate(chain, 0),
		key != NULL ? key : chain_key(chain), issuers, 1) == 1;
	sk_X509_free(issuers);
	if (!ok)
		(void)error_openssl(err, "cannot use the certificate %.200s%s",
		    subject, wanted);
	free(subject);
	return ok ? 0 : -1;
}

static int
set_policy(SSL_CTX *ctx, enum tls_policy policy, struct error *err)
{
	bool legacy = policy == TLS_LEGACY;

	/* TLS 1.0 and 1.1 do not work at all above level 0. */
	SSL_CTX_set_security_level(ctx, legacy ? 0 : 2);
	if (SSL_CTX_set_min_proto_version(ctx,
		legacy ? TLS1_VERSION : TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(ctx,
		legacy ? LEGACY_CIPHERS : MODERN_CIPHERS) != 1)
		return error_openssl(err, "cannot set the TLS policy");
	return 0;
}

/* Name each subject once to the clients: some choose what they show by it. */
static int
name_anchors(SSL_CTX *ctx, const struct anchors *anchors, struct error *err)
{
	for (size_t i = 0; i < anchors_count(anchors); i++) {
		X509 *cert = anchors_get(anchors, i);
		bool named = false;

		for (size_t j = 0; j < i && !named; j++)
			named = X509_NAME_cmp(X509_get_subject_name(cert),
				    X509_get_subject_name(anchors_get(anchors,
					j))) == 0;
		if (!named && SSL_CTX_add_client_CA(ctx, cert) != 1)
			return error_openssl(err,
			    "cannot name the client anchors");
	}
	return 0;
}

static int
ask_for_certificate(struct tls_context *context, struct error *err)
{
	SSL_CTX *ctx = context->ssl_ctx;

	if (SSL_CTX_set1_verify_cert_store(ctx,
		anchors_store(context->anchors)) != 1)
		return error_openssl(err, "cannot use the client anchors");
	/* Not FAIL_IF_NO_PEER_CERT: who is refused is known to the log. */
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, tls_verify_device, context);
	return name_anchors(ctx, context->anchors, err);
}

/* *key: a far one, or NULL for that of the chain. */
static int
choose_key(struct tls_context *context,
    const struct tls_server_options *options, EVP_PKEY **key, struct error *err)
{
	EVP_PKEY *own = chain_key(options->chain);

	*key = options->far_key;
	if (options->together && batch_key_fits(own)) {
		context->batch_key = batch_key_get(own, err);
		if (context->batch_key == NULL)
			return -1;
		*key = batch_key_far(context->batch_key);
	}
	context->has_far_key = *key != NULL;
	if (context->has_far_key)
		(void)SSL_CTX_set_mode(context->ssl_ctx, SSL_MODE_ASYNC);
	return 0;
}

static int
set_up_server(struct tls_context *context,
    const struct tls_server_options *options, struct error *err)
{
	static const unsigned char session_context[] = "sprov";
	const char *wanted = options->policy == TLS_MODERN ?
	    " (\"tls modern\" "
	    "wants RSA of 2048 bits or more, and SHA-256 or better)" :
	    "";
	SSL_CTX *ctx = context->ssl_ctx;
	EVP_PKEY *key;

	context->is_server = true;
	/* All that is there in one read, not two for each record. */
	SSL_CTX_set_read_ahead(ctx, 1);
	context->anchors = options->anchors;
	context->verifications = verify_cache_new(options->verifications);
	context->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (context->sha256 == NULL)
		return error_openssl(err, "cannot find SHA-256");
	/*
	 * The session context is set in any case; without it a client
	 * certificate and a resumption together end in a fatal alert.
	 */
	(void)SSL_CTX_set_options(ctx,
	    SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
	if (SSL_CTX_set_num_tickets(ctx, 0) != 1 ||
	    SSL_CTX_set_session_id_context(ctx, session_context,
		sizeof(session_context) - 1) != 1)
		return error_openssl(err, "cannot set up the TLS context");
	if (options->sessions > 0 &&
	    tls_session_set_up(context, options->sessions, err) != 0)
		return -1;
	if (choose_key(context, options, &key, err) != 0)
		return -1;
	SSL_CTX_set_msg_callback(ctx, tls_conn_see_message);
	if (set_policy(ctx, options->policy, err) != 0 ||
	    show_chain(ctx, options->chain, key, wanted, err) != 0)
		return -1;
	return context->anchors != NULL ? ask_for_certificate(context, err) : 0;
}

struct tls_context *
tls_context_new_server(const struct tls_server_options *options,
    struct error *err)
{
	OSSL_LIB_CTX *library = NULL;
	struct tls_context *context;

	if (!options->all_algorithms && (library = tls_algorithms(err)) == NULL)
		return NULL;
	context = new_context(library, TLS_server_method(), err);
	if (context != NULL && set_up_server(context, options, err) != 0) {
		tls_context_free(context);
		return NULL;
	}
	return context;
}

static int
set_client_ciphers(SSL_CTX *ctx, const struct tls_client_options *options,
    struct error *err)
{
	/* Elliptic curves need extensions. */
	char *ciphers = xasprintf("%s%s:@SECLEVEL=0", options->ciphers,
	    options->extensions ? "" : ":!kECDHE");
	int rc = 0;

	if (SSL_CTX_set_cipher_list(ctx, ciphers) != 1)
		rc = error_openssl(err, "cipher list \"%.200s\"",
		    options->ciphers);
	free(ciphers);
	return rc;
}

static int
set_up_client(struct tls_context *context,
    const struct tls_client_options *options, struct error *err)
{
	SSL_CTX *ctx = context->ssl_ctx;

	context->anchors = options->anchors;
	context->send_sni = options->send_sni && options->extensions;
	context->check_time = options->check_time;
	context->check_sha256 = options->check_sha256;
	if (!options->extensions)
		/*
		 * A stack without extensions knows nothing of RFC 5746 and
		 * connects to servers that know nothing of it either.
		 */
		(void)SSL_CTX_set_options(ctx,
		    SSL_OP_NO_TICKET | SSL_OP_NO_ENCRYPT_THEN_MAC |
			SSL_OP_NO_EXTENDED_MASTER_SECRET |
			SSL_OP_LEGACY_SERVER_CONNECT);
	if (SSL_CTX_set_min_proto_version(ctx, options->min_version) != 1 ||
	    SSL_CTX_set_max_proto_version(ctx, options->max_version) != 1)
		return error_openssl(err, "TLS versions %04x to %04x",
		    (unsigned)options->min_version,
		    (unsigned)options->max_version);
	SSL_CTX_set_security_level(ctx, 0);
	if (set_client_ciphers(ctx, options, err) != 0)
		return -1;
	if (options->anchors != NULL &&
	    SSL_CTX_set1_verify_cert_store(ctx,
		anchors_store(options->anchors)) != 1)
		return error_openssl(err, "cannot use the server anchors");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx,
	    options->accept_any ? tls_verify_nothing : tls_verify_server,
	    context);
	SSL_CTX_set_cert_cb(ctx, tls_conn_see_certificate_request, NULL);
	return options->chain != NULL ?
	    show_chain(ctx, options->chain, NULL, "", err) :
	    0;
}

struct tls_context *
tls_context_new_client(const struct tls_client_options *options,
    struct error *err)
{
	OSSL_LIB_CTX *library = NULL;
	struct tls_context *context;

	if (options->reduced && (library = tls_algorithms(err)) == NULL)
		return NULL;
	context = new_context(library, TLS_client_method(), err);
	if (context != NULL && set_up_client(context, options, err) != 0) {
		tls_context_free(context);
		return NULL;
	}
	return context;
}

struct tls_context *
tls_context_new_accept_any(bool extensions, struct error *err)
{
	const struct tls_client_options options = {
		.min_version = TLS1_VERSION,
		/* TLS 1.3 is nothing but extensions. */
		.max_version = extensions ? TLS1_3_VERSION : TLS1_2_VERSION,
		.ciphers = "ALL:!aNULL:!eNULL:!PSK:!SRP",
		.extensions = extensions,
		.send_sni = extensions,
		.accept_any = true,
	};
	struct tls_context *context = tls_context_new_client(&options, err);

	if (context != NULL)
		(void)SSL_CTX_set_options(context->ssl_ctx,
		    SSL_OP_LEGACY_SERVER_CONNECT);
	return context;
}
