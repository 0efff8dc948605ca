/* SPDX-License-Identifier: GPL-2.0-only */
/* The worker behind eventfd callbacks; the API is in <linux/vfio.h>. */
#ifndef VFIO_VIRQFD_H
#define VFIO_VIRQFD_H

#if IS_ENABLED(CONFIG_VFIO_VIRQFD)
int vfio_virqfd_init(void);
void vfio_virqfd_exit(void);
#else
static inline int vfio_virqfd_init(void)
{
	return 0;
}

static inline void vfio_virqfd_exit(void)
{
}
#endif

#endif /* VFIO_VIRQFD_H */
