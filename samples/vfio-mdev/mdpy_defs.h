/* SPDX-License-Identifier: GPL-2.0-only */
/* What mdpy's device and its driver in the guest must agree on. */
#ifndef MDPY_DEFS_H
#define MDPY_DEFS_H

#define MDPY_PCI_VENDOR		0x1b36	/* Red Hat */
#define MDPY_PCI_DEVICE		0x000f

/* A vendor's capability tells what the picture is like, 32 bits each. */
#define MDPY_CAP		0x40
#define MDPY_CAP_SIZE		0x10
#define MDPY_CAP_FORMAT		(MDPY_CAP + 0x04)	/* DRM fourcc */
#define MDPY_CAP_WIDTH		(MDPY_CAP + 0x08)
#define MDPY_CAP_HEIGHT		(MDPY_CAP + 0x0c)

#endif /* MDPY_DEFS_H */
