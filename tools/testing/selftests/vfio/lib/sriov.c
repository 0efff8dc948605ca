// SPDX-License-Identifier: GPL-2.0-only
/* Virtual functions as sysfs makes them, and opens that name a VF token. */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/random.h>

#include "vfio_test.h"

int sriov_set(const char *pf, unsigned int count)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", count);
	return pci_attr_write(pf, "sriov_numvfs", text);
}

/* The name of the physical function's virtual function number @index. */
int sriov_vf(const char *pf, unsigned int index, char vf[PCI_NAME_LEN])
{
	char path[512], target[512];
	ssize_t got;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/virtfn%u", pf, index);
	got = readlink(path, target, sizeof(target) - 1);
	if (got < 0)
		return -errno;
	target[got] = 0;
	snprintf(vf, PCI_NAME_LEN, "%.15s", basename(target));
	return 0;
}

/* Opens by the name with what is written behind it; NULL for the name alone. */
int group_device_options(int group, const char *name, const char *options)
{
	char text[256];

	snprintf(text, sizeof(text), "%s%s%s", name, options ? " " : "",
		 options ? options : "");
	return group_device(group, text);
}

int group_device_token(int group, const char *name, const char *uuid)
{
	char option[64];

	snprintf(option, sizeof(option), "vf_token=%s", uuid);
	return group_device_options(group, name, option);
}

/* A random UUID as text, and as the bytes that VFIO_DEVICE_FEATURE takes. */
void uuid_new(char text[UUID_TEXT], __u8 bytes[16])
{
	__u8 b[16];

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		memset(b, 0x5a, sizeof(b));
	snprintf(text, UUID_TEXT,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10],
		 b[11], b[12], b[13], b[14], b[15]);
	if (bytes)
		memcpy(bytes, b, sizeof(b));
}
