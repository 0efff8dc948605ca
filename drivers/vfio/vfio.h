/* SPDX-License-Identifier: GPL-2.0-only */
/* The name under which the sPAPR backend knows the backend interface. */
#ifndef VFIO_VFIO_H
#define VFIO_VFIO_H

#include "backend.h"

#endif /* VFIO_VFIO_H */
