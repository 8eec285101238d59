#include "spa/useragent.h"
