// SPDX-License-Identifier: GPL-2.0-only
/*
 * The migration state machine as data, and the features that drive it.
 *
 * States and arcs are described in <uapi/linux/vfio.h>. A user may ask for any
 * state from any other; drivers implement single arcs only. next_step[] holds
 * the first arc of the way from a state to a target where all optional states
 * exist:
 *
 *   RESUMING <-> STOP <-> STOP_COPY <-----------------+
 *                 ^                                   |
 *                 v                                   |
 *            RUNNING_P2P <------------------> PRE_COPY_P2P
 *                 ^                                   ^
 *                 v                                   v
 *              RUNNING <------------------------> PRE_COPY
 *
 * (PRE_COPY_P2P -> STOP_COPY is the one arc with a single direction.) It is the
 * shortest way; of two as short, the one through fewer states that save
 * (STOP_COPY, PRE_COPY, PRE_COPY_P2P), so that no data session is opened that
 * nobody asked for. States that a driver lacks are walked through without
 * stopping. The KUnit test of this file computes all of that anew and compares.
 *
 * ERROR in the table means that there is no way: ERROR itself is left by a
 * reset alone, and a device that was stopped for copying goes back to PRE_COPY
 * only by way of a state the user names, since that starts a new stream.
 */
#include <linux/anon_inodes.h>
#include <linux/array_size.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "migration.h"
#include "trace.h"

#define STATE(s)	VFIO_DEVICE_STATE_##s

static const u8 next_step[VFIO_DEVICE_STATE_NR][VFIO_DEVICE_STATE_NR] = {
	[STATE(STOP)] = {
		[STATE(STOP)]		= STATE(STOP),
		[STATE(RUNNING)]	= STATE(RUNNING_P2P),
		[STATE(STOP_COPY)]	= STATE(STOP_COPY),
		[STATE(RESUMING)]	= STATE(RESUMING),
		[STATE(RUNNING_P2P)]	= STATE(RUNNING_P2P),
		[STATE(PRE_COPY)]	= STATE(RUNNING_P2P),
		[STATE(PRE_COPY_P2P)]	= STATE(RUNNING_P2P),
	},
	[STATE(RUNNING)] = {
		[STATE(STOP)]		= STATE(RUNNING_P2P),
		[STATE(RUNNING)]	= STATE(RUNNING),
		[STATE(STOP_COPY)]	= STATE(RUNNING_P2P),
		[STATE(RESUMING)]	= STATE(RUNNING_P2P),
		[STATE(RUNNING_P2P)]	= STATE(RUNNING_P2P),
		[STATE(PRE_COPY)]	= STATE(PRE_COPY),
		[STATE(PRE_COPY_P2P)]	= STATE(RUNNING_P2P),
	},
	[STATE(STOP_COPY)] = {
		[STATE(STOP)]		= STATE(STOP),
		[STATE(RUNNING)]	= STATE(STOP),
		[STATE(STOP_COPY)]	= STATE(STOP_COPY),
		[STATE(RESUMING)]	= STATE(STOP),
		[STATE(RUNNING_P2P)]	= STATE(STOP),
		[STATE(PRE_COPY)]	= STATE(ERROR),
		[STATE(PRE_COPY_P2P)]	= STATE(ERROR),
	},
	[STATE(RESUMING)] = {
		[STATE(STOP)]		= STATE(STOP),
		[STATE(RUNNING)]	= STATE(STOP),
		[STATE(STOP_COPY)]	= STATE(STOP),
		[STATE(RESUMING)]	= STATE(RESUMING),
		[STATE(RUNNING_P2P)]	= STATE(STOP),
		[STATE(PRE_COPY)]	= STATE(STOP),
		[STATE(PRE_COPY_P2P)]	= STATE(STOP),
	},
	[STATE(RUNNING_P2P)] = {
		[STATE(STOP)]		= STATE(STOP),
		[STATE(RUNNING)]	= STATE(RUNNING),
		[STATE(STOP_COPY)]	= STATE(STOP),
		[STATE(RESUMING)]	= STATE(STOP),
		[STATE(RUNNING_P2P)]	= STATE(RUNNING_P2P),
		[STATE(PRE_COPY)]	= STATE(RUNNING),
		[STATE(PRE_COPY_P2P)]	= STATE(PRE_COPY_P2P),
	},
	[STATE(PRE_COPY)] = {
		[STATE(STOP)]		= STATE(RUNNING),
		[STATE(RUNNING)]	= STATE(RUNNING),
		[STATE(STOP_COPY)]	= STATE(PRE_COPY_P2P),
		[STATE(RESUMING)]	= STATE(RUNNING),
		[STATE(RUNNING_P2P)]	= STATE(RUNNING),
		[STATE(PRE_COPY)]	= STATE(PRE_COPY),
		[STATE(PRE_COPY_P2P)]	= STATE(PRE_COPY_P2P),
	},
	[STATE(PRE_COPY_P2P)] = {
		[STATE(STOP)]		= STATE(RUNNING_P2P),
		[STATE(RUNNING)]	= STATE(RUNNING_P2P),
		[STATE(STOP_COPY)]	= STATE(STOP_COPY),
		[STATE(RESUMING)]	= STATE(RUNNING_P2P),
		[STATE(RUNNING_P2P)]	= STATE(RUNNING_P2P),
		[STATE(PRE_COPY)]	= STATE(PRE_COPY),
		[STATE(PRE_COPY_P2P)]	= STATE(PRE_COPY_P2P),
	},
	/* [STATE(ERROR)] leads nowhere: all STATE(ERROR), which is 0. */
};

/* What a driver must implement for a state to exist. */
static const u8 state_needs[VFIO_DEVICE_STATE_NR] = {
	[STATE(STOP_COPY)]	= VFIO_MIGRATION_STOP_COPY,
	[STATE(RESUMING)]	= VFIO_MIGRATION_STOP_COPY,
	[STATE(RUNNING_P2P)]	= VFIO_MIGRATION_P2P,
	[STATE(PRE_COPY)]	= VFIO_MIGRATION_PRE_COPY,
	[STATE(PRE_COPY_P2P)]	= VFIO_MIGRATION_PRE_COPY | VFIO_MIGRATION_P2P,
};

static bool has_state(const struct vfio_device *device, unsigned int state)
{
	return (state_needs[state] & ~device->migration_flags) == 0;
}

/**
 * vfio_mig_get_next_state() - First arc of the way from a state to another
 * @device: the device; its migration_flags say which states exist
 * @cur_fsm: the state it is in
 * @new_fsm: the state it shall reach; user input
 * @next_fsm: set to the state behind the first arc; ERROR on failure
 *
 * A driver's ->migration_set_state() calls this, performs the arc, and repeats
 * until it is in @new_fsm.
 *
 * Context: The driver's own mutex that guards the state is held.
 * Return: 0; or -EINVAL where @new_fsm does not exist, is not implemented by
 * the device, or cannot be reached from @cur_fsm.
 */
int vfio_mig_get_next_state(struct vfio_device *device,
			    enum vfio_device_mig_state cur_fsm,
			    enum vfio_device_mig_state new_fsm,
			    enum vfio_device_mig_state *next_fsm)
{
	unsigned int cur = cur_fsm, target = new_fsm, step;

	*next_fsm = VFIO_DEVICE_STATE_ERROR;

	if (WARN_ON_ONCE(cur >= VFIO_DEVICE_STATE_NR || !has_state(device, cur)))
		return -EINVAL;
	if (target >= VFIO_DEVICE_STATE_NR)
		return -EINVAL;
	target = array_index_nospec(target, VFIO_DEVICE_STATE_NR);
	if (!has_state(device, target))
		return -EINVAL;

	/* Each turn is one arc nearer to the target, or ERROR, which exists. */
	step = next_step[cur][target];
	while (!has_state(device, step))
		step = next_step[step][target];

	*next_fsm = step;
	return step == VFIO_DEVICE_STATE_ERROR ? -EINVAL : 0;
}
EXPORT_SYMBOL_GPL(vfio_mig_get_next_state);

/**
 * vfio_migration_check() - Do a driver's migration operations make sense?
 * @device: device about to be registered
 *
 * Return: 0, or -EINVAL where an operation is missing or the mandatory
 * VFIO_MIGRATION_STOP_COPY is not set.
 */
int vfio_migration_check(struct vfio_device *device)
{
	const struct vfio_migration_ops *ops = device->mig_ops;

	if (!ops)
		return 0;
	if (!ops->migration_set_state || !ops->migration_get_state ||
	    !ops->migration_get_data_size)
		return -EINVAL;
	if (!(device->migration_flags & VFIO_MIGRATION_STOP_COPY))
		return -EINVAL;
	return 0;
}

/* Tells the user the data file, made visible once nothing can fail. */
static int give_data_file(struct file *file,
			  struct vfio_device_feature_mig_state *mig,
			  void __user *arg)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd < 0)
		goto out_put_file;

	mig->data_fd = fd;
	if (copy_to_user(arg, mig, sizeof(*mig))) {
		put_unused_fd(fd);
		fd = -EFAULT;
		goto out_put_file;
	}
	fd_install(fd, file);
	return 0;

out_put_file:
	fput(file);
	return fd;
}

static int set_device_state(struct vfio_device *device,
			    struct vfio_device_feature_mig_state *mig,
			    void __user *arg)
{
	struct file *file;
	int ret = 0;

	file = device->mig_ops->migration_set_state(device, mig->device_state);
	if (!IS_ERR_OR_NULL(file)) {
		ret = give_data_file(file, mig, arg);
		if (!ret)
			return 0;
	} else if (IS_ERR(file)) {
		ret = PTR_ERR(file);
	}

	/* No session: the user must not take what stood there for one. */
	mig->data_fd = -1;
	if (copy_to_user(arg, mig, sizeof(*mig)) && !ret)
		ret = -EFAULT;
	return ret;
}

static int get_device_state(struct vfio_device *device, void __user *arg)
{
	struct vfio_device_feature_mig_state mig = { .data_fd = -1 };
	enum vfio_device_mig_state state;
	int ret;

	ret = device->mig_ops->migration_get_state(device, &state);
	if (ret)
		return ret;
	mig.device_state = state;
	return copy_to_user(arg, &mig, sizeof(mig)) ? -EFAULT : 0;
}

/**
 * vfio_feature_mig_device_state() - VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE
 * @device: open device
 * @flags: flags of the ioctl
 * @arg: payload, a &struct vfio_device_feature_mig_state
 * @argsz: bytes of payload
 *
 * Return: 0; -ENOTTY without migration; -EINVAL (size, no such state, no way
 * there); -EFAULT; -EMFILE; or what the driver gave. After a failed SET the
 * device may be in another state than before: GET tells.
 */
int vfio_feature_mig_device_state(struct vfio_device *device, u32 flags,
				  void __user *arg, size_t argsz)
{
	struct vfio_device_feature_mig_state mig;
	int ret;

	if (!device->mig_ops)
		return -ENOTTY;

	ret = vfio_check_feature(flags, argsz,
				 VFIO_DEVICE_FEATURE_GET |
				 VFIO_DEVICE_FEATURE_SET, sizeof(mig));
	if (ret != 1)
		return ret;

	if (flags & VFIO_DEVICE_FEATURE_GET)
		return get_device_state(device, arg);

	if (copy_from_user(&mig, arg, sizeof(mig)))
		return -EFAULT;
	ret = set_device_state(device, &mig, arg);
	trace_vfio_set_migration_state(device->dev, mig.device_state, ret);
	return ret;
}

/**
 * vfio_feature_migration() - VFIO_DEVICE_FEATURE_MIGRATION
 * @device: open device
 * @flags: flags of the ioctl
 * @arg: payload, a &struct vfio_device_feature_migration
 * @argsz: bytes of payload
 *
 * Return: 0; -ENOTTY without migration; -EINVAL (direction, size); -EFAULT.
 */
int vfio_feature_migration(struct vfio_device *device, u32 flags,
			   void __user *arg, size_t argsz)
{
	struct vfio_device_feature_migration mig = {
		.flags = device->migration_flags,
	};
	int ret;

	if (!device->mig_ops)
		return -ENOTTY;

	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_GET,
				 sizeof(mig));
	if (ret != 1)
		return ret;
	return copy_to_user(arg, &mig, sizeof(mig)) ? -EFAULT : 0;
}

/**
 * vfio_feature_mig_data_size() - VFIO_DEVICE_FEATURE_MIG_DATA_SIZE
 * @device: open device
 * @flags: flags of the ioctl
 * @arg: payload, a &struct vfio_device_feature_mig_data_size
 * @argsz: bytes of payload
 *
 * Return: 0; -ENOTTY without migration; -EINVAL (direction, size); -EFAULT; or
 * what the driver gave.
 */
int vfio_feature_mig_data_size(struct vfio_device *device, u32 flags,
			       void __user *arg, size_t argsz)
{
	struct vfio_device_feature_mig_data_size data = {};
	unsigned long length = 0;
	int ret;

	if (!device->mig_ops)
		return -ENOTTY;

	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_GET,
				 sizeof(data));
	if (ret != 1)
		return ret;

	ret = device->mig_ops->migration_get_data_size(device, &length);
	if (ret)
		return ret;
	data.stop_copy_length = length;
	return copy_to_user(arg, &data, sizeof(data)) ? -EFAULT : 0;
}
