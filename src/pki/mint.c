#include "pki/mint.h"
