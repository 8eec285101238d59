#include "provision/template.h"
