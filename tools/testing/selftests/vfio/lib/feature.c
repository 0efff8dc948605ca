// SPDX-License-Identifier: GPL-2.0-only
/* VFIO_DEVICE_FEATURE and touching memory that may answer by SIGBUS. */
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "vfio_test.h"

/* The payload goes in and, for a feature that tells something, comes back. */
int device_feature(int fd, __u32 flags, void *payload, size_t len)
{
	struct vfio_device_feature *f = calloc(1, sizeof(*f) + len);
	int ret;

	f->argsz = sizeof(*f) + len;
	f->flags = flags;
	if (len)
		memcpy(f->data, payload, len);
	ret = vioctl(fd, VFIO_DEVICE_FEATURE, f);
	if (len)
		memcpy(payload, f->data, len);
	free(f);
	return ret;
}

static __thread sigjmp_buf on_bus_error;

static void bus_error(int sig)
{
	siglongjmp(on_bus_error, sig);
}

/* Have threads of the caller survive SIGBUS from within touched(). */
void touch_init(void)
{
	struct sigaction act = { .sa_handler = bus_error, .sa_flags = SA_NODEFER };

	sigaction(SIGBUS, &act, NULL);
}

/* Reads four bytes there: 0, or SIGBUS. After touch_init(). */
int touched(const void *p)
{
	int sig = sigsetjmp(on_bus_error, 1);

	if (!sig)
		mmio_read(p);
	return sig;
}
