#include "CSSHCrypto.h"
