#include "pki/cert.h"
