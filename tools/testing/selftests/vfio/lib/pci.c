// SPDX-License-Identifier: GPL-2.0-only
/* PCI devices as sysfs shows them: finding, binding, removing. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vfio_test.h"

#define DEVICES		"/sys/bus/pci/devices"

int file_read(const char *path, char *buf, size_t len)
{
	ssize_t got;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	got = read(fd, buf, len - 1);
	if (got < 0)
		got = -errno;
	close(fd);
	if (got < 0)
		return got;
	while (got && isspace((unsigned char)buf[got - 1]))
		got--;
	buf[got] = 0;
	return 0;
}

int file_write(const char *path, const char *text)
{
	size_t len = strlen(text);
	int fd, ret = 0;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, len) != (ssize_t)len)
		ret = -errno;
	close(fd);
	return ret;
}

int pci_attr_read(const char *name, const char *attr, char *buf, size_t len)
{
	char path[512];

	snprintf(path, sizeof(path), DEVICES "/%s/%s", name, attr);
	return file_read(path, buf, len);
}

int pci_attr_write(const char *name, const char *attr, const char *text)
{
	char path[512];

	snprintf(path, sizeof(path), DEVICES "/%s/%s", name, attr);
	return file_write(path, text);
}

static unsigned long attr_number(const char *name, const char *attr)
{
	char text[64];

	if (pci_attr_read(name, attr, text, sizeof(text)))
		return ~0UL;
	return strtoul(text, NULL, 16);
}

/* The last component of a link, or a negative errno. */
static int link_name(const char *path, char *out, size_t len)
{
	char target[512];
	ssize_t got;

	got = readlink(path, target, sizeof(target) - 1);
	if (got < 0)
		return -errno;
	target[got] = 0;
	snprintf(out, len, "%s", basename(target));
	return 0;
}

int pci_driver(const char *name, char *driver, size_t len)
{
	char path[512];

	snprintf(path, sizeof(path), DEVICES "/%s/driver", name);
	return link_name(path, driver, len);
}

bool pci_bound_to(const char *name, const char *driver)
{
	char bound[64];

	return !pci_driver(name, bound, sizeof(bound)) && !strcmp(bound, driver);
}

int pci_group(const char *name)
{
	char path[512], group[64];
	int ret;

	snprintf(path, sizeof(path), DEVICES "/%s/iommu_group", name);
	ret = link_name(path, group, sizeof(group));
	return ret ? ret : atoi(group);
}

static bool is_bridge(const char *name)
{
	return (attr_number(name, "class") >> 16) == 0x06;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int not_hidden(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

/* Another endpoint of the device's group. */
bool pci_neighbour(const char *name, char other[PCI_NAME_LEN])
{
	struct dirent **list;
	bool found = false;
	char path[512];
	int i, n;

	snprintf(path, sizeof(path), DEVICES "/%s/iommu_group/devices", name);
	n = scandir(path, &list, not_hidden, by_name);
	for (i = 0; i < n; i++) {
		if (!found && strcmp(list[i]->d_name, name) &&
		    !is_bridge(list[i]->d_name)) {
			snprintf(other, PCI_NAME_LEN, "%.15s", list[i]->d_name);
			found = true;
		}
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	return found;
}

static bool suits(const char *name, unsigned int want)
{
	char other[PCI_NAME_LEN], path[512];
	bool resets, shared;

	snprintf(path, sizeof(path), DEVICES "/%s/reset", name);
	resets = !access(path, F_OK);
	shared = pci_neighbour(name, other);

	return !((want & PCI_ALONE && shared) ||
		 (want & PCI_SHARED && !shared) ||
		 (want & PCI_RESETS && !resets) ||
		 (want & PCI_NO_RESET && resets));
}

bool pci_find(unsigned int id, unsigned int want,
	      unsigned int nth, char name[PCI_NAME_LEN])
{
	struct dirent **list;
	bool found = false;
	int i, n;

	n = scandir(DEVICES, &list, not_hidden, by_name);
	for (i = 0; i < n; i++) {
		const char *d = list[i]->d_name;

		if (!found && attr_number(d, "vendor") == id >> 16 &&
		    attr_number(d, "device") == (id & 0xffff) && suits(d, want) &&
		    !nth--) {
			snprintf(name, PCI_NAME_LEN, "%.15s", d);
			found = true;
		}
	}
	while (n > 0)
		free(list[--n]);
	if (n == 0)
		free(list);
	return found;
}

int pci_override(const char *name, const char *driver)
{
	char text[64];

	snprintf(text, sizeof(text), "%s\n", driver);
	return pci_attr_write(name, "driver_override", text);
}

int pci_unbind(const char *name)
{
	int ret = pci_attr_write(name, "driver/unbind", name);

	return ret == -ENOENT ? 0 : ret;
}

/*
 * Bridges belong to the group of what is behind them, and a driver that hot-plugs
 * their slots keeps the group from being given to a user.
 */
int pci_free_bridges(const char *name)
{
	struct dirent **list;
	char path[512];
	int i, n, ret = 0;

	snprintf(path, sizeof(path), DEVICES "/%s/iommu_group/devices", name);
	n = scandir(path, &list, not_hidden, by_name);
	for (i = 0; i < n; i++) {
		if (!ret && pci_bound_to(list[i]->d_name, "shpchp"))
			ret = pci_unbind(list[i]->d_name);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	return ret;
}

static int probe(const char *name)
{
	return file_write("/sys/bus/pci/drivers_probe", name);
}

/* Gives the device to this driver and to no other. */
int pci_bind(const char *name, const char *driver)
{
	int ret;

	if (pci_bound_to(name, driver))
		return 0;
	ret = pci_unbind(name);
	if (!ret)
		ret = pci_override(name, driver);
	if (!ret)
		ret = probe(name);
	if (!ret && !pci_bound_to(name, driver))
		ret = -ENODEV;
	return ret;
}

int pci_bind_vfio(const char *name)
{
	return pci_bind(name, "vfio-pci");
}

/* Gives the device back to whatever driver knows it, if any does. */
int pci_bind_native(const char *name)
{
	int ret = pci_unbind(name);

	if (!ret)
		ret = pci_override(name, "");
	if (!ret)
		ret = probe(name);
	return ret;
}

int pci_remove(const char *name)
{
	return pci_attr_write(name, "remove", "1");
}

int pci_rescan(void)
{
	return file_write("/sys/bus/pci/rescan", "1");
}

/* What the hardware's own configuration space holds. */
__u16 pci_physical16(const char *name, unsigned int offset)
{
	__u16 value = 0xffff;
	char path[512];
	int fd;

	snprintf(path, sizeof(path), DEVICES "/%s/config", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return value;
	if (pread(fd, &value, sizeof(value), offset) != sizeof(value))
		value = 0xffff;
	close(fd);
	return value;
}

int param_read(const char *module, const char *param, char *buf, size_t len)
{
	char path[512];

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", module, param);
	return file_read(path, buf, len);
}

int param_write(const char *module, const char *param, const char *text)
{
	char path[512];

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", module, param);
	return file_write(path, text);
}
