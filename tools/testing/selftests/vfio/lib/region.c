// SPDX-License-Identifier: GPL-2.0-only
/* Regions of an open device: info, read, write, mmap, configuration space. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "vfio_test.h"

int region_info(int fd, __u32 index, struct vfio_region_info *info)
{
	*info = (struct vfio_region_info) {
		.argsz = sizeof(*info),
		.index = index,
	};
	return vioctl(fd, VFIO_DEVICE_GET_REGION_INFO, info);
}

/* With its capability chain; the caller frees it. */
struct vfio_region_info *region_info_full(int fd, __u32 index)
{
	struct vfio_region_info head, *info;

	if (region_info(fd, index, &head))
		return NULL;
	info = calloc(1, head.argsz);
	info->argsz = head.argsz;
	info->index = index;
	if (vioctl(fd, VFIO_DEVICE_GET_REGION_INFO, info)) {
		free(info);
		return NULL;
	}
	return info;
}

/* Walks a chain and refuses one that leaves its struct or does not end. */
void *info_cap(void *info, __u32 cap_offset, __u32 argsz, __u16 id)
{
	struct vfio_info_cap_header *cap;
	unsigned int hops = 64;

	while (cap_offset && hops--) {
		if (cap_offset % 8 || cap_offset + sizeof(*cap) > argsz)
			return NULL;
		cap = (void *)((char *)info + cap_offset);
		if (cap->id == id)
			return cap;
		cap_offset = cap->next;
	}
	return NULL;
}

ssize_t region_read(int fd, __u32 index, __u64 offset, void *buf, size_t len)
{
	struct vfio_region_info info;
	ssize_t ret;

	ret = region_info(fd, index, &info);
	if (ret)
		return ret;
	ret = pread(fd, buf, len, info.offset + offset);
	return ret < 0 ? -errno : ret;
}

ssize_t region_write(int fd, __u32 index, __u64 offset, const void *buf,
		     size_t len)
{
	struct vfio_region_info info;
	ssize_t ret;

	ret = region_info(fd, index, &info);
	if (ret)
		return ret;
	ret = pwrite(fd, buf, len, info.offset + offset);
	return ret < 0 ? -errno : ret;
}

void *region_mmap(int fd, __u32 index, __u64 offset, size_t len, int prot)
{
	struct vfio_region_info info;

	if (region_info(fd, index, &info))
		return MAP_FAILED;
	return mmap(NULL, len, prot, MAP_SHARED, fd, info.offset + offset);
}

/* Device memory: each access happens, once and at that width. */
__u32 mmio_read(const void *p)
{
	return *(const volatile __u32 *)p;
}

void mmio_write(void *p, __u32 value)
{
	*(volatile __u32 *)p = value;
}

__u32 config_read(int fd, unsigned int offset, unsigned int width)
{
	__u32 value = 0;

	if (region_read(fd, VFIO_PCI_CONFIG_REGION_INDEX, offset, &value,
			width) != (ssize_t)width)
		return ~0U;
	return value;
}

int config_write(int fd, unsigned int offset, __u32 value, unsigned int width)
{
	ssize_t ret = region_write(fd, VFIO_PCI_CONFIG_REGION_INDEX, offset,
				   &value, width);

	if (ret < 0)
		return ret;
	return ret == (ssize_t)width ? 0 : -EIO;
}

int config_command(int fd, __u16 clear, __u16 set)
{
	__u16 value = config_read(fd, PCI_COMMAND, 2);

	return config_write(fd, PCI_COMMAND, (value & ~clear) | set, 2);
}

unsigned int config_find_cap(int fd, __u8 id)
{
	unsigned int hops = 48, at;

	if (!(config_read(fd, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST))
		return 0;
	at = config_read(fd, PCI_CAPABILITY_LIST, 1);
	while (at >= 0x40 && at < 0x100 && hops--) {
		if (config_read(fd, at, 1) == id)
			return at;
		at = config_read(fd, at + 1, 1);
	}
	return 0;
}

unsigned int config_find_ext_cap(int fd, __u16 id)
{
	unsigned int hops = 480, at = 0x100;
	struct vfio_region_info info;
	__u32 head;

	if (region_info(fd, VFIO_PCI_CONFIG_REGION_INDEX, &info) ||
	    info.size <= 0x100)
		return 0;
	while (at >= 0x100 && at < info.size && hops--) {
		head = config_read(fd, at, 4);
		if ((head & 0xffff) == id)
			return at;
		at = head >> 20;
	}
	return 0;
}
