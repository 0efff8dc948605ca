// SPDX-License-Identifier: GPL-2.0-only
/* Devices that migrate: opening any by its address, states, and data files. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vfio_test.h"

/* --- Any VFIO device by the name that its bus knows it by ------------------- */

static int find_device(const char *name, char *path, size_t len)
{
	static const char * const buses[] = { "pci", "mdev", NULL };
	unsigned int i;

	for (i = 0; buses[i]; i++) {
		snprintf(path, len, "/sys/bus/%s/devices/%s", buses[i], name);
		if (!access(path, F_OK))
			return 0;
	}
	return -ENODEV;
}

static int read_link(const char *dir, const char *file, char *base, size_t len)
{
	char path[256], target[256];
	ssize_t got;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	got = readlink(path, target, sizeof(target) - 1);
	if (got < 0)
		return -errno;
	target[got] = 0;
	snprintf(base, len, "%s", strrchr(target, '/') ? strrchr(target, '/') + 1 :
							 target);
	return 0;
}

int mig_driver(const char *name, char *driver, size_t len)
{
	char path[128];
	int ret = find_device(name, path, sizeof(path));

	return ret ? ret : read_link(path, "driver", driver, len);
}

/* Any device of which only the name is known. */
int mig_open(struct vfio_dev *dev, const char *name)
{
	char path[128], number[32];
	int ret;

	vfio_dev_init(dev);
	snprintf(dev->name, sizeof(dev->name), "%s", name);
	ret = find_device(name, path, sizeof(path));
	if (!ret)
		ret = read_link(path, "iommu_group", number, sizeof(number));
	if (ret)
		return ret;
	dev->group_id = atoi(number);
	dev->container = container_open();
	if (dev->container < 0)
		return dev->container;
	ret = vfio_dev_join(dev, dev->container);
	if (!ret)
		ret = vfio_dev_begin(dev, VFIO_TYPE1v2_IOMMU);
	if (ret)
		vfio_dev_close(dev);
	return ret;
}

/* --- Mediated devices -------------------------------------------------------- */

/* @type: such as "mtty/mtty-2", parent and type. */
int mdev_create(const char *type, const char *uuid)
{
	char parent[64], path[256], *slash;

	snprintf(parent, sizeof(parent), "%s", type);
	slash = strchr(parent, '/');
	*slash = 0;
	snprintf(path, sizeof(path),
		 "/sys/class/mdev_bus/%s/mdev_supported_types/%s/create", parent,
		 slash + 1);
	return file_write(path, uuid);
}

int mdev_remove(const char *uuid)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/mdev/devices/%s/remove", uuid);
	return file_write(path, "1");
}

/* --- Features and states ------------------------------------------------------- */

__u64 mig_flags(int fd)
{
	struct vfio_device_feature_migration mig = {};

	if (device_feature(fd, VFIO_DEVICE_FEATURE_GET |
			   VFIO_DEVICE_FEATURE_MIGRATION, &mig, sizeof(mig)))
		return 0;
	return mig.flags;
}

int mig_set(int fd, __u32 state, int *data_fd)
{
	struct vfio_device_feature_mig_state mig = {
		.device_state = state,
		.data_fd = -77,
	};
	int ret = device_feature(fd, VFIO_DEVICE_FEATURE_SET |
				 VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, &mig,
				 sizeof(mig));

	*data_fd = mig.data_fd;
	return ret;
}

int mig_state(int fd)
{
	struct vfio_device_feature_mig_state mig = {};
	int ret = device_feature(fd, VFIO_DEVICE_FEATURE_GET |
				 VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, &mig,
				 sizeof(mig));

	return ret ? ret : (int)mig.device_state;
}

/* --- Data files ------------------------------------------------------------------ */

/* Reads to the end, @step bytes at a time; returns how much there was. */
ssize_t mig_drain(int data_fd, void *buf, size_t size, size_t step)
{
	size_t done = 0;
	ssize_t got;

	for (;;) {
		if (done == size)
			return -ENOBUFS;
		if (step > size - done)
			step = size - done;
		got = read(data_fd, (char *)buf + done, step);
		if (got < 0)
			return -errno;
		if (!got)
			return done;
		done += got;
	}
}

int mig_feed(int data_fd, const void *buf, size_t size, size_t step)
{
	size_t done = 0;
	ssize_t put;

	while (done < size) {
		put = write(data_fd, (const char *)buf + done,
			    step < size - done ? step : size - done);
		if (put <= 0)
			return put ? -errno : -EIO;
		done += put;
	}
	return 0;
}

int mig_precopy_info(int data_fd, struct vfio_precopy_info *info)
{
	*info = (struct vfio_precopy_info){ .argsz = sizeof(*info) };
	return vioctl(data_fd, VFIO_MIG_GET_PRECOPY_INFO, info);
}

/* What poll() says at once, or within @ms. */
int poll_now(int fd, short events, int ms)
{
	struct pollfd one = { .fd = fd, .events = events };

	return poll(&one, 1, ms) < 0 ? -errno : one.revents;
}
