#include "tls/conn.h"
