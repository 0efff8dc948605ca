// SPDX-License-Identifier: GPL-2.0-only
/* Opening and closing what the VFIO user ABI has file descriptors for. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/ioctl.h>

#include "vfio_test.h"

/* Loads the stock driver unless some build of it is there already. */
int vfio_load(void)
{
	if (access("/sys/bus/pci/drivers/vfio-pci", F_OK) &&
	    system("modprobe -q vfio-pci"))
		return -ENODEV;
	if (access("/sys/module/vfio_iommu_type1", F_OK) &&
	    system("modprobe -q vfio_iommu_type1"))
		return -ENODEV;
	return access("/sys/bus/pci/drivers/vfio-pci", F_OK) ? -ENODEV : 0;
}

/* Whether the machine has no IOMMU at all. */
bool vfio_noiommu_only(void)
{
	return system("ls /sys/class/iommu/* >/dev/null 2>&1") != 0;
}

int container_open(void)
{
	int fd = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int group_open_path(int group_id, char *path, size_t len)
{
	snprintf(path, len, "/dev/vfio/%d", group_id);
	if (access(path, F_OK))
		snprintf(path, len, "/dev/vfio/noiommu-%d", group_id);
	return access(path, F_OK) ? -errno : 0;
}

int group_open(int group_id)
{
	char path[64];
	int fd;

	fd = group_open_path(group_id, path, sizeof(path));
	if (fd)
		return fd;
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int group_set_container(int group, int container)
{
	return vioctl(group, VFIO_GROUP_SET_CONTAINER, &container);
}

int group_status(int group, __u32 *flags)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	int ret = vioctl(group, VFIO_GROUP_GET_STATUS, &status);

	*flags = status.flags;
	return ret;
}

int group_device(int group, const char *name)
{
	return vioctl(group, VFIO_GROUP_GET_DEVICE_FD, name);
}

void vfio_dev_init(struct vfio_dev *dev)
{
	memset(dev, 0, sizeof(*dev));
	dev->container = -1;
	dev->group = -1;
	dev->fd = -1;
}

void vfio_dev_close(struct vfio_dev *dev)
{
	if (dev->fd >= 0)
		close(dev->fd);
	if (dev->group >= 0)
		close(dev->group);
	if (dev->container >= 0)
		close(dev->container);
	dev->fd = -1;
	dev->group = -1;
	dev->container = -1;
}

/* Puts the device's group, which is known, into a container. */
int vfio_dev_join(struct vfio_dev *dev, int container)
{
	/* A file of an earlier owner may still be on its way out. */
	(void)UNTIL((dev->group = group_open(dev->group_id)) != -EBUSY, WAIT_MS);
	if (dev->group < 0)
		return dev->group;
	return group_set_container(dev->group, container);
}

/* The rest of opening, for the first device of the container. */
int vfio_dev_begin(struct vfio_dev *dev, unsigned long iommu)
{
	int ret = vioctl_long(dev->container, VFIO_SET_IOMMU, iommu);

	if (ret)
		return ret;
	dev->fd = group_device(dev->group, dev->name);
	return dev->fd < 0 ? dev->fd : 0;
}

/* Opens the device by its group within a container that others may share. */
int vfio_dev_attach(struct vfio_dev *dev, const char *name, int container)
{
	char keep[DEV_NAME_LEN];

	snprintf(keep, sizeof(keep), "%s", name);
	vfio_dev_init(dev);
	memcpy(dev->name, keep, sizeof(keep));
	dev->group_id = pci_group(dev->name);
	if (dev->group_id < 0)
		return dev->group_id;
	return vfio_dev_join(dev, container);
}

int vfio_dev_open(struct vfio_dev *dev, const char *name, unsigned long iommu)
{
	int container, ret;

	container = container_open();
	if (container < 0)
		return container;
	ret = vfio_dev_attach(dev, name, container);
	dev->container = container;
	return ret ? ret : vfio_dev_begin(dev, iommu);
}

static int bind_group(const char *name)
{
	char other[PCI_NAME_LEN];

	if (pci_neighbour(name, other) && pci_bind_vfio(other))
		return -EBUSY;
	if (pci_free_bridges(name))
		return -EBUSY;
	return pci_bind_vfio(name);
}

const char *vfio_dev_get(struct vfio_dev *dev, unsigned int id, unsigned int want,
			 unsigned int nth, unsigned long iommu)
{
	static char why[128];
	char name[PCI_NAME_LEN];
	int ret;

	vfio_dev_init(dev);
	ret = vfio_load();
	if (ret)
		return "vfio-pci cannot be loaded";
	if (!pci_find(id, want, nth, name)) {
		snprintf(why, sizeof(why),
			 "no PCI device %04x:%04x that suits (wanted %#x, number %u)",
			 id >> 16, id & 0xffff, want, nth);
		return why;
	}
	if (pci_group(name) < 0)
		return "the device has no IOMMU group";
	ret = bind_group(name);
	if (ret) {
		fprintf(stderr, "# %s does not bind to vfio-pci: %s\n", name,
			strerror(-ret));
		exit(1);
	}
	snprintf(dev->name, sizeof(dev->name), "%s", name);
	dev->group_id = pci_group(name);
	if (!iommu)
		return NULL;
	ret = vfio_dev_open(dev, name, iommu);
	if (ret) {
		fprintf(stderr, "# %s does not open: %s\n", name, strerror(-ret));
		exit(1);
	}
	return NULL;
}
