#include "pki/anchors.h"
