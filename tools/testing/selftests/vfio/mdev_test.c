// SPDX-License-Identifier: GPL-2.0-only
/* Mediated devices as sysfs makes and unmakes them, on the sample mtty. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/wait.h>

#include "kselftest_harness.h"
#include "vfio_test.h"

#define TYPES		"/sys/class/mdev_bus/mtty/mdev_supported_types/"
#define DEVICES		"/sys/bus/mdev/devices/"
#define PORTS		24
#define STORM_TASKS	6
#define STORM_ROUNDS	25

static const char *uuid(unsigned int nth)
{
	static char text[40];

	snprintf(text, sizeof(text), "5e1f7e57-0000-4000-8000-%012x", nth);
	return text;
}

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static int make_card(unsigned int ports, unsigned int nth)
{
	char path[128];

	snprintf(path, sizeof(path), TYPES "mtty-%u/create", ports);
	return put(path, uuid(nth));
}

static int destroy(unsigned int nth)
{
	char path[128];

	snprintf(path, sizeof(path), DEVICES "%s/remove", uuid(nth));
	return put(path, "1");
}

static bool exists(const char *in, unsigned int nth, const char *file)
{
	char path[192];

	snprintf(path, sizeof(path), "%s%s%s", in, uuid(nth), file);
	return !access(path, F_OK);
}

static int available(unsigned int ports)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), TYPES "mtty-%u/available_instances", ports);
	return file_read(path, text, sizeof(text)) < 0 ? -1 : atoi(text);
}

FIXTURE(mdev) {
};

FIXTURE_SETUP(mdev)
{
	if (access(TYPES, F_OK) && system("modprobe -q mtty"))
		SKIP(return, "the sample mtty cannot be loaded");
	if (available(1) != PORTS)
		SKIP(return, "somebody uses mtty");
}

FIXTURE_TEARDOWN(mdev)
{
	unsigned int i;

	for (i = 0; i < 64; i++)
		destroy(i);
}

TEST_F(mdev, types_tell_what_they_are)
{
	char text[64];

	ASSERT_LE(0, file_read(TYPES "mtty-1/device_api", text, sizeof(text)));
	EXPECT_EQ(0, strncmp(text, VFIO_DEVICE_API_PCI_STRING,
			     strlen(VFIO_DEVICE_API_PCI_STRING)));
	ASSERT_LE(0, file_read(TYPES "mtty-2/name", text, sizeof(text)));
	EXPECT_EQ(0, strncmp(text, "Dual port", 9));
	/* Only where the driver describes its types. */
	EXPECT_NE(0, access(TYPES "mtty-1/description", F_OK));
	EXPECT_EQ(PORTS / 2, available(2));
}

TEST_F(mdev, a_device_is_linked_both_ways)
{
	ASSERT_EQ(0, make_card(2, 1));
	EXPECT_TRUE(exists(TYPES "mtty-2/devices/", 1, ""));
	EXPECT_TRUE(exists(DEVICES, 1, "/mdev_type/create"));
	EXPECT_TRUE(exists(DEVICES, 1, "/driver"));
	EXPECT_TRUE(exists(DEVICES, 1, "/iommu_group"));
	ASSERT_EQ(0, destroy(1));
	EXPECT_FALSE(exists(DEVICES, 1, ""));
	EXPECT_FALSE(exists(TYPES "mtty-2/devices/", 1, ""));
	EXPECT_EQ(-ENOENT, destroy(1));
}

TEST_F(mdev, what_is_no_uuid_is_refused)
{
	static const char * const bad[] = {
		"x", "5e1f7e57-0000-4000-8000-00000000000",
		"5e1f7e57-0000-4000-8000-0000000000000",
		"5e1f7e57-0000-4000-8000-00000000000g",
		"5e1f7e57000040008000000000000000----",
		"5e1f7e57-0000-4000-8000-000000000000\n\n",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-EINVAL, put(TYPES "mtty-1/create", bad[i]))
			TH_LOG("number %u", i);
	EXPECT_EQ(PORTS, available(1));
}

TEST_F(mdev, a_uuid_is_there_once)
{
	ASSERT_EQ(0, make_card(1, 1));
	EXPECT_EQ(-EEXIST, make_card(1, 1));
	EXPECT_EQ(-EEXIST, make_card(2, 1));
	EXPECT_EQ(PORTS - 1, available(1));
}

TEST_F(mdev, types_share_what_there_is)
{
	unsigned int i;

	for (i = 0; i < PORTS / 2; i++)
		ASSERT_EQ(0, make_card(2, i));
	EXPECT_EQ(-EUSERS, make_card(2, i));
	EXPECT_EQ(-EUSERS, make_card(1, i));
	EXPECT_EQ(0, available(1));
	ASSERT_EQ(0, destroy(0));
	EXPECT_EQ(2, available(1));
	EXPECT_EQ(1, available(2));
}

TEST_F(mdev, remove_wants_a_yes)
{
	char path[128];

	ASSERT_EQ(0, make_card(1, 1));
	snprintf(path, sizeof(path), DEVICES "%s/remove", uuid(1));
	EXPECT_EQ(0, put(path, "0"));
	EXPECT_EQ(-EINVAL, put(path, "maybe"));
	EXPECT_TRUE(exists(DEVICES, 1, ""));
}

/* Racing creates: all ports are given out, and none twice. */
TEST_F(mdev, D10_creates_never_pass_the_limit)
{
	unsigned int i, made = 0;
	int status;

	for (i = 0; i < 2 * PORTS; i++)
		if (!fork())
			_exit(make_card(1, i) ? 1 : 0);
	while (wait(&status) > 0)
		made += WIFEXITED(status) && !WEXITSTATUS(status);
	EXPECT_EQ(PORTS, made);
	EXPECT_EQ(0, available(1));
}

/* Two of a kind remove what a third creates; the parent comes and goes. */
static void storm(unsigned int task)
{
	unsigned int i;

	for (i = 0; i < STORM_ROUNDS; i++) {
		make_card(1 + (i & 1), task * 3 + i % 3);
		destroy(task * 3 + i % 3);
		destroy((task + 1) % STORM_TASKS * 3 + i % 3);
	}
}

TEST_F_TIMEOUT(mdev, D02_D05_creates_and_removes_of_many_leave_nothing, 600)
{
	unsigned int i;

	for (i = 0; i < STORM_TASKS; i++)
		if (!fork()) {
			storm(i);
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	for (i = 0; i < 3 * STORM_TASKS; i++)
		destroy(i);
	EXPECT_EQ(PORTS, available(1));
}

TEST_F_TIMEOUT(mdev, D02_the_module_goes_while_devices_are_made, 600)
{
	int i, round;

	for (round = 0; round < 5; round++) {
		if (!fork()) {
			for (i = 0; i < 100; i++)
				make_card(1, i % 10);
			_exit(0);
		}
		pause_ms(2 * round);
		EXPECT_EQ(0, system("rmmod mtty"));
		wait(NULL);
		EXPECT_FALSE(exists(DEVICES, 0, ""));
		/* A kernel that frees objects late keeps the names for a while. */
		ASSERT_TRUE(UNTIL(!system("modprobe -q mtty 2>/dev/null"), WAIT_MS));
		EXPECT_EQ(PORTS, available(1));
	}
}

static int load(void *module)
{
	char command[64];

	snprintf(command, sizeof(command), "modprobe -q %s 2>/dev/null",
		 (char *)module);
	/* A kernel that frees objects late keeps the names for a while. */
	return UNTIL(!system(command), WAIT_MS) ? 0 : 1;
}

/* The first two parents of the machine, both at once, again and again. */
TEST_F_TIMEOUT(mdev, D08_two_parents_come_and_go_at_once, 600)
{
	static char * const modules[] = { "mtty", "mdpy" };
	unsigned int round, i;
	pid_t loaders[2];

	if (system("modprobe -q mdpy"))
		SKIP(return, "the sample mdpy cannot be loaded");
	for (round = 0; round < 3; round++) {
		ASSERT_TRUE(UNTIL(!system("rmmod mtty mdpy 2>/dev/null"), WAIT_MS));
		/* Who uses mdev besides them keeps it, and takes nothing from this. */
		if (system("rmmod vfio-sample-stream vfio-mdev-sample mdev 2>/dev/null"))
			TH_LOG("mdev stays loaded");
		/* What both need, so that they differ in nothing but themselves. */
		ASSERT_EQ(0, load("vfio-mdev-sample"));
		ASSERT_EQ(0, load("vfio-sample-stream"));
		for (i = 0; i < 2; i++)
			loaders[i] = spawn(load, modules[i]);
		for (i = 0; i < 2; i++)
			EXPECT_EQ(0, reap(loaders[i], 2 * WAIT_MS));
		EXPECT_EQ(0, access("/sys/class/mdev_bus/mtty", F_OK));
		EXPECT_EQ(0, access("/sys/class/mdev_bus/mdpy", F_OK));
		EXPECT_EQ(PORTS, available(1));
	}
	system("rmmod mdpy");
}

TEST_HARNESS_MAIN
