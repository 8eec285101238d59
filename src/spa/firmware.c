#include "spa/firmware.h"
