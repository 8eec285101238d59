#include "pki/key.h"
