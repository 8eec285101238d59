#include "spa/peer.h"
