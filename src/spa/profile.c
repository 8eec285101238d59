#include "spa/profile.h"
