// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pictures of the sample displays: what is drawn into a BAR, as a guest does, must
 * be what the user gets by the display ioctls, pixel by pixel.
 *
 * With VFIO_DISPLAY_DIR set, each picture that was got is put there as a .ppm.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/pci_regs.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "vfio_test.h"

#define UUID		"5e1f7e57-0000-4000-8000-0000000d1541"
#define OWN_REGION	VFIO_PCI_NUM_REGIONS
#define BAR0		VFIO_PCI_BAR0_REGION_INDEX
#define BAR2		VFIO_PCI_BAR2_REGION_INDEX
#define XRGB8888	0x34325258	/* "XR24" */

/* Bochs' registers in BAR 2. */
#define DISPI		0x500
enum {
	ID, XRES, YRES, BPP, ENABLE, BANK, VIRT_WIDTH, VIRT_HEIGHT, X_OFFSET, Y_OFFSET,
	MEMORY_64K
};

/* --- A picture that shows when lines or colours are out of place --------------- */

static __u32 pixel(unsigned int x, unsigned int y)
{
	if (((x / 40) ^ (y / 40)) & 1)
		return (x & 0xff) << 16 | (y & 0xff) << 8 | ((x + y) & 0xff);
	return (x * 2654435761U ^ y * 40503) & 0xffffff;
}

static void draw(void *to, unsigned int width, unsigned int height,
		 unsigned int stride)
{
	unsigned int x, y;

	for (y = 0; y < height; y++)
		for (x = 0; x < width; x++)
			((__u32 *)((char *)to + y * stride))[x] = pixel(x, y);
}

static unsigned int wrong_pixels(const void *from, unsigned int width,
				 unsigned int height, unsigned int stride)
{
	unsigned int x, y, wrong = 0;

	for (y = 0; y < height; y++)
		for (x = 0; x < width; x++)
			wrong += (((const __u32 *)((const char *)from +
				   y * stride))[x] & 0xffffff) != pixel(x, y);
	return wrong;
}

static void show(const char *name, const void *from, unsigned int width,
		 unsigned int height, unsigned int stride)
{
	const char *dir = getenv("VFIO_DISPLAY_DIR");
	char path[512];
	unsigned int x, y;
	__u32 value;
	FILE *f;

	if (!dir)
		return;
	snprintf(path, sizeof(path), "%s/%s.ppm", dir, name);
	f = fopen(path, "w");
	if (!f)
		return;
	fprintf(f, "P6 %u %u 255\n", width, height);
	for (y = 0; y < height; y++) {
		for (x = 0; x < width; x++) {
			value = ((const __u32 *)((const char *)from + y * stride))[x];
			fputc(value >> 16, f);
			fputc(value >> 8, f);
			fputc(value, f);
		}
	}
	fclose(f);
}

/* --- Devices ----------------------------------------------------------------------- */

static const char *open_display(struct vfio_dev *dev, const char *driver,
				const char *type)
{
	char command[64], path[128];

	dev->fd = -1;
	vfio_load();
	snprintf(path, sizeof(path), "/sys/class/mdev_bus/%s", driver);
	snprintf(command, sizeof(command), "modprobe -q %s", driver);
	if (access(path, F_OK) && system(command))
		return "the sample cannot be loaded";
	mdev_remove(UUID);
	if (mdev_create(type, UUID))
		return "no display can be made";
	return mig_open(dev, UUID) ? "the display does not open" : NULL;
}

static void close_display(struct vfio_dev *dev)
{
	if (dev->fd >= 0)
		vfio_dev_close(dev);
	mdev_remove(UUID);
}

static int query(int fd, __u32 flags, struct vfio_device_gfx_plane_info *plane)
{
	*plane = (struct vfio_device_gfx_plane_info){
		.argsz = sizeof(*plane),
		.flags = flags,
		.width = 0xffff,
		.size = 0xffff,
	};
	return vioctl(fd, VFIO_DEVICE_QUERY_GFX_PLANE, plane);
}

static void query_is_checked(struct __test_metadata *_metadata, int fd, __u32 good)
{
	struct vfio_device_gfx_plane_info plane, *edge;
	__u32 flags;

	for (flags = 0; flags < 16; flags++)
		EXPECT_EQ(flags == good || flags == (good | VFIO_GFX_PLANE_TYPE_PROBE) ?
			  0 : -EINVAL, query(fd, flags, &plane)) TH_LOG("flags %#x", flags);
	plane.flags = good;
	plane.argsz = offsetof(struct vfio_device_gfx_plane_info, reserved) - 1;
	EXPECT_EQ(-EINVAL, vioctl(fd, VFIO_DEVICE_QUERY_GFX_PLANE, &plane));
	edge = before_hole(8);
	edge->argsz = sizeof(*edge);
	edge->flags = good;
	EXPECT_EQ(-EFAULT, vioctl(fd, VFIO_DEVICE_QUERY_GFX_PLANE, edge));
}

/* --- mdpy: the picture is a region ------------------------------------------------------ */

FIXTURE(mdpy)
{
	struct vfio_dev dev;
};

FIXTURE_VARIANT(mdpy)
{
	const char *type;
	unsigned int width, height;
};

FIXTURE_VARIANT_ADD(mdpy, vga) { "mdpy/mdpy-vga", 640, 480 };
FIXTURE_VARIANT_ADD(mdpy, xga) { "mdpy/mdpy-xga", 1024, 768 };
FIXTURE_VARIANT_ADD(mdpy, hd) { "mdpy/mdpy-hd", 1920, 1080 };

FIXTURE_SETUP(mdpy)
{
	const char *why = open_display(&self->dev, "mdpy", variant->type);

	if (why)
		SKIP(return, "%s", why);
}

FIXTURE_TEARDOWN(mdpy)
{
	close_display(&self->dev);
}

TEST_F(mdpy, the_picture_is_what_was_drawn)
{
	struct vfio_device_gfx_plane_info plane;
	void *bar, *seen, *read;
	char name[32];

	ASSERT_EQ(0, query(self->dev.fd, VFIO_GFX_PLANE_TYPE_REGION, &plane));
	EXPECT_EQ(variant->width, plane.width);
	EXPECT_EQ(variant->height, plane.height);
	EXPECT_EQ(XRGB8888, plane.drm_format);
	EXPECT_EQ(0, plane.drm_format_mod);
	EXPECT_EQ(variant->width * 4, plane.stride);
	EXPECT_EQ(plane.stride * plane.height, plane.size);
	EXPECT_EQ(variant->width, config_read(self->dev.fd, 0x48, 4));
	EXPECT_EQ(variant->height, config_read(self->dev.fd, 0x4c, 4));

	bar = region_mmap(self->dev.fd, BAR0, 0, plane.size, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, bar);
	seen = region_mmap(self->dev.fd, plane.region_index, 0, plane.size, PROT_READ);
	ASSERT_NE(MAP_FAILED, seen);
	draw(bar, plane.width, plane.height, plane.stride);
	EXPECT_EQ(0, wrong_pixels(seen, plane.width, plane.height, plane.stride));
	snprintf(name, sizeof(name), "mdpy-%u", variant->width);
	show(name, seen, plane.width, plane.height, plane.stride);

	read = malloc(plane.size);
	EXPECT_EQ(plane.size, region_read(self->dev.fd, BAR0, 0, read, plane.size));
	EXPECT_EQ(0, wrong_pixels(read, plane.width, plane.height, plane.stride));

	/* As new after a reset, and nothing past the end can be mapped. */
	EXPECT_EQ(0, vioctl(self->dev.fd, VFIO_DEVICE_RESET, NULL));
	EXPECT_LT(0, wrong_pixels(seen, plane.width, plane.height, plane.stride));
	EXPECT_EQ(MAP_FAILED, region_mmap(self->dev.fd, BAR0, 16 * MIB, PAGE, PROT_READ));
	munmap(bar, plane.size);
	munmap(seen, plane.size);
	free(read);
}

TEST_F(mdpy, queries_are_checked)
{
	query_is_checked(_metadata, self->dev.fd, VFIO_GFX_PLANE_TYPE_REGION);
	EXPECT_EQ(-ENOTTY, vioctl(self->dev.fd, VFIO_DEVICE_GET_GFX_DMABUF, &(__u32){ 1 }));
}

/* --- mbochs: the picture is a dma-buf ----------------------------------------------------- */

FIXTURE(mbochs)
{
	struct vfio_dev dev;
};

FIXTURE_SETUP(mbochs)
{
	const char *why = open_display(&self->dev, "mbochs", "mbochs/mbochs-small");

	if (why)
		SKIP(return, "%s", why);
}

FIXTURE_TEARDOWN(mbochs)
{
	close_display(&self->dev);
}

static void dispi(int fd, unsigned int index, __u16 value)
{
	region_write(fd, BAR2, DISPI + 2 * index, &value, 2);
}

static void set_mode(int fd, unsigned int width, unsigned int height)
{
	dispi(fd, ENABLE, 0);
	dispi(fd, XRES, width);
	dispi(fd, YRES, height);
	dispi(fd, BPP, 32);
	dispi(fd, VIRT_WIDTH, width);
	dispi(fd, X_OFFSET, 0);
	dispi(fd, Y_OFFSET, 0);
	dispi(fd, ENABLE, 1);
}

static int get_dmabuf(int fd, __u32 id)
{
	return vioctl(fd, VFIO_DEVICE_GET_GFX_DMABUF, &id);
}

#define TYPES	"/sys/class/mdev_bus/mbochs/mdev_supported_types/"

static int available(void)
{
	char text[32];

	return file_read(TYPES "mbochs-small/available_instances", text,
			 sizeof(text)) < 0 ? -1 : atoi(text);
}

TEST_F(mbochs, the_picture_is_what_was_drawn)
{
	struct vfio_device_gfx_plane_info plane, again;
	void *bar, *seen;
	int buf;

	set_mode(self->dev.fd, 1024, 768);
	bar = region_mmap(self->dev.fd, BAR0, 0, 4 * MIB, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, bar);
	draw(bar, 1024, 768, 4096);

	ASSERT_EQ(0, query(self->dev.fd, VFIO_GFX_PLANE_TYPE_DMABUF, &plane));
	EXPECT_EQ(1024, plane.width);
	EXPECT_EQ(768, plane.height);
	EXPECT_EQ(4096, plane.stride);
	EXPECT_EQ(768 * 4096, plane.size);
	EXPECT_EQ(XRGB8888, plane.drm_format);
	/* The same picture has the same number. */
	ASSERT_EQ(0, query(self->dev.fd, VFIO_GFX_PLANE_TYPE_DMABUF, &again));
	EXPECT_EQ(plane.dmabuf_id, again.dmabuf_id);

	buf = get_dmabuf(self->dev.fd, plane.dmabuf_id);
	ASSERT_LE(0, buf);
	EXPECT_EQ(FD_CLOEXEC, fcntl(buf, F_GETFD));
	EXPECT_EQ(plane.size, lseek(buf, 0, SEEK_END));
	seen = mmap(NULL, plane.size, PROT_READ, MAP_SHARED, buf, 0);
	ASSERT_NE(MAP_FAILED, seen);
	EXPECT_EQ(0, wrong_pixels(seen, 1024, 768, 4096));
	show("mbochs", seen, 1024, 768, 4096);
	/* The picture, and nothing of what lies behind it. */
	EXPECT_EQ(MAP_FAILED, mmap(NULL, plane.size + PAGE, PROT_READ, MAP_SHARED, buf, 0));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, buf, plane.size));
	munmap(seen, plane.size);
	munmap(bar, 4 * MIB);
	close(buf);
}

TEST_F(mbochs, S06_a_dma_buf_outlives_its_device)
{
	struct vfio_device_gfx_plane_info plane;
	int buf, before = available();
	void *bar, *seen;

	set_mode(self->dev.fd, 640, 480);
	bar = region_mmap(self->dev.fd, BAR0, 0, 4 * MIB, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, bar);
	ASSERT_EQ(0, query(self->dev.fd, VFIO_GFX_PLANE_TYPE_DMABUF, &plane));
	buf = get_dmabuf(self->dev.fd, plane.dmabuf_id);
	ASSERT_LE(0, buf);
	seen = mmap(NULL, plane.size, PROT_READ, MAP_SHARED, buf, 0);
	ASSERT_NE(MAP_FAILED, seen);
	munmap(bar, 4 * MIB);
	close_display(&self->dev);
	EXPECT_NE(0, system("rmmod mbochs 2>/dev/null"));
	/* Erased, there, and still paid for. */
	EXPECT_EQ(0, mmio_read(seen));
	EXPECT_EQ(before, available());
	munmap(seen, plane.size);
	close(buf);
	EXPECT_TRUE(UNTIL(available() == before + 1, WAIT_MS));
}

TEST_F(mbochs, modes_that_make_no_sense_show_nothing)
{
	static const __u16 modes[][6] = {
		/* width, height, depth, virtual width, x, y */
		{ 0, 480, 32, 0, 0, 0 }, { 640, 0, 32, 640, 0, 0 },
		{ 640, 480, 16, 640, 0, 0 }, { 65535, 65535, 32, 65535, 0, 0 },
		{ 1024, 1024, 32, 1024, 0, 1 }, { 1024, 768, 32, 1024, 1, 0 },
		{ 640, 480, 32, 65535, 0, 0 }, { 1024, 768, 32, 1024, 0, 65535 },
		{ 1024, 768, 32, 1024, 65535, 65535 },
	};
	struct vfio_device_gfx_plane_info plane;
	unsigned int i;

	ASSERT_EQ(0, query(self->dev.fd, VFIO_GFX_PLANE_TYPE_DMABUF, &plane));
	EXPECT_EQ(0, plane.size);
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		set_mode(self->dev.fd, modes[i][0], modes[i][1]);
		dispi(self->dev.fd, BPP, modes[i][2]);
		dispi(self->dev.fd, VIRT_WIDTH, modes[i][3]);
		dispi(self->dev.fd, X_OFFSET, modes[i][4]);
		dispi(self->dev.fd, Y_OFFSET, modes[i][5]);
		ASSERT_EQ(0, query(self->dev.fd, VFIO_GFX_PLANE_TYPE_DMABUF, &plane));
		EXPECT_EQ(0, plane.size) TH_LOG("mode %u", i);
		EXPECT_EQ(0, plane.drm_format);
		EXPECT_EQ(0, plane.width);
	}
	/* The last line of the memory, and no further. */
	set_mode(self->dev.fd, 1024, 1024);
	ASSERT_EQ(0, query(self->dev.fd, VFIO_GFX_PLANE_TYPE_DMABUF, &plane));
	EXPECT_EQ(4 * MIB, plane.size);
}

TEST_F(mbochs, numbers_are_those_of_the_last_pictures)
{
	struct vfio_device_gfx_plane_info plane;
	__u32 first = 0;
	unsigned int i;
	int buf;

	EXPECT_EQ(-EINVAL, get_dmabuf(self->dev.fd, 0));
	EXPECT_EQ(-EINVAL, get_dmabuf(self->dev.fd, 1));
	for (i = 0; i < 6; i++) {
		set_mode(self->dev.fd, 640, 400 + i);
		ASSERT_EQ(0, query(self->dev.fd, VFIO_GFX_PLANE_TYPE_DMABUF, &plane));
		first = first ? first : plane.dmabuf_id;
		buf = get_dmabuf(self->dev.fd, plane.dmabuf_id);
		EXPECT_LE(0, buf);
		close(buf);
	}
	EXPECT_EQ(-EINVAL, get_dmabuf(self->dev.fd, first));
	EXPECT_EQ(-EFAULT, vioctl(self->dev.fd, VFIO_DEVICE_GET_GFX_DMABUF, before_hole(0)));
	EXPECT_EQ(0, vioctl(self->dev.fd, VFIO_DEVICE_RESET, NULL));
	EXPECT_EQ(-EINVAL, get_dmabuf(self->dev.fd, plane.dmabuf_id));
	query_is_checked(_metadata, self->dev.fd, VFIO_GFX_PLANE_TYPE_DMABUF);
}

static int put_edid(int fd, unsigned int at, __u32 value)
{
	return region_write(fd, OWN_REGION, at, &value, 4) == 4 ? 0 : -errno;
}

#define EDID(member)	offsetof(struct vfio_region_gfx_edid, member)

TEST_F(mbochs, the_guest_sees_the_monitor_that_was_plugged_in)
{
	struct vfio_region_info_cap_type *type;
	struct vfio_region_gfx_edid edid;
	struct vfio_region_info *info;
	__u8 blob[128], seen[128];

	info = region_info_full(self->dev.fd, OWN_REGION);
	ASSERT_NE(NULL, info);
	type = info_cap(info, info->cap_offset, info->argsz, VFIO_REGION_INFO_CAP_TYPE);
	ASSERT_NE(NULL, type);
	EXPECT_EQ(VFIO_REGION_TYPE_GFX, type->type);
	EXPECT_EQ(VFIO_REGION_SUBTYPE_GFX_EDID, type->subtype);
	free(info);

	ASSERT_EQ(sizeof(edid), region_read(self->dev.fd, OWN_REGION, 0, &edid, sizeof(edid)));
	EXPECT_EQ(VFIO_DEVICE_GFX_LINK_STATE_DOWN, edid.link_state);
	EXPECT_LE(sizeof(blob), edid.edid_max_size);
	fill(blob, sizeof(blob), 3);
	EXPECT_EQ(sizeof(blob), region_write(self->dev.fd, OWN_REGION, edid.edid_offset,
					     blob, sizeof(blob)));
	EXPECT_EQ(-EINVAL, put_edid(self->dev.fd, EDID(edid_size), edid.edid_max_size + 1));
	EXPECT_EQ(-EINVAL, put_edid(self->dev.fd, EDID(link_state), 3));
	EXPECT_EQ(-EINVAL, put_edid(self->dev.fd, EDID(edid_offset), 0));
	EXPECT_EQ(0, put_edid(self->dev.fd, EDID(edid_size), sizeof(blob)));
	/* Not plugged in yet. */
	region_read(self->dev.fd, BAR2, 0, seen, sizeof(seen));
	EXPECT_NE(0, memcmp(blob, seen, sizeof(blob)));
	EXPECT_EQ(0, put_edid(self->dev.fd, EDID(link_state), VFIO_DEVICE_GFX_LINK_STATE_UP));
	region_read(self->dev.fd, BAR2, 0, seen, sizeof(seen));
	EXPECT_EQ(0, memcmp(blob, seen, sizeof(blob)));
}

/* The budget is one for all, exact, and comes back from what failed. */
TEST_F(mbochs, S05_memory_is_counted_once)
{
	static const char * const uuids[] = {
		"5e1f7e57-0000-4000-8000-0000000d1542",
		"5e1f7e57-0000-4000-8000-0000000d1543",
		"5e1f7e57-0000-4000-8000-0000000d1544",
		"5e1f7e57-0000-4000-8000-0000000d1545",
	};
	int before = available(), made = 0;
	unsigned int i;

	for (i = 0; i < 4; i++)
		made += !mdev_create("mbochs/mbochs-large", uuids[i]);
	/* 256 MB less what is open here. */
	EXPECT_EQ(3, made);
	EXPECT_EQ(before - 3 * 16, available());
	EXPECT_EQ(-EUSERS, mdev_create("mbochs/mbochs-large", uuids[3]));
	EXPECT_EQ(-EEXIST, mdev_create("mbochs/mbochs-small", uuids[0]));
	EXPECT_EQ(before - 3 * 16, available());
	for (i = 0; i < 4; i++)
		mdev_remove(uuids[i]);
	EXPECT_EQ(before, available());
}

TEST_HARNESS_MAIN
