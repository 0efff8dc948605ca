// SPDX-License-Identifier: GPL-2.0-only
/*
 * How an edu device moves to another machine: migration of a device that was not
 * made for it, by STOP_COPY and P2P.
 *
 * edu can neither be frozen nor told its state, so that what it has is asked of
 * its registers. It is quiet before: on the way to RUNNING_P2P the driver waits for
 * the transfer under way, then keeps it from the bus; on the way to STOP it waits
 * for the computation. It waits with a limit: a device is not believed.
 *
 * Carried are the liveness register, the last factorial, whether factorials
 * interrupt, the interrupt status, and source, destination and count of transfers.
 * A factorial cannot be written, but computed again: of a value there is an n whose
 * factorial it is, modulo 2^32. Interrupts that were pending are raised again when
 * the device is RUNNING. What cannot be carried is edu's buffer of 4 KiB, which
 * nobody can read without a transfer, and the bits of a command under way, of which
 * there is none. A guest that must find the buffer unchanged cannot be moved; what
 * PCI has in common (config space, MSI) is carried by the monitor.
 *
 * A reset does not change edu's registers, so the driver does. It is told of
 * resets (->reset_done) from below all kinds of locks, its own state's lock not
 * among those that could be taken there. So that is only noted, and made good by
 * whoever takes the lock next: at the latest before the user's ioctl returns.
 */
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/ktime.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/rwsem.h>

#include "edu.h"
#include "stream.h"

#define EDU_LIVENESS		0x04	/* reads as the inverse of what was written */
#define EDU_STATUS_IRQ		BIT(7)
#define EDU_IRQ_STATUS		0x24
#define EDU_IRQ_RAISE		0x60
#define EDU_IRQ_ACK		0x64
#define EDU_DMA_SOURCE		0x80
#define EDU_DMA_TARGET		0x88
#define EDU_DMA_COUNT		0x90
#define EDU_DMA_COMMAND		0x98
#define EDU_DMA_RUN		BIT(0)

/* A transfer takes a tenth of a second. */
#define WAIT_MS			2000
#define WAIT_US			100

/* All that is carried. A device that was reset has 0 everywhere. */
struct edu_state {
	__le32 liveness;
	__le32 factorial;
	__le32 irq_on_factorial;
	__le32 irq_status;
	__le64 dma_source;
	__le64 dma_target;
	__le64 dma_count;
};

/* The n whose factorial this is, or -1. From 34 on, 2^32 divides them all. */
static int inverse_factorial(u32 value)
{
	u32 product = 1;
	int n;

	for (n = 0; n <= 34; n++) {
		product *= n ?: 1;
		if (product == value)
			return n;
	}
	return -1;
}

static bool is_valid(const void *data, u32 variant)
{
	const struct edu_state *state = data;

	return inverse_factorial(le32_to_cpu(state->factorial)) >= 0 &&
	       le32_to_cpu(state->irq_on_factorial) <= 1;
}

static struct edu_vfio_device *vdev_to_edu(struct vfio_device *vdev)
{
	return container_of(vdev, struct edu_vfio_device, core.vdev);
}

static const struct sample_format edu_format = {
	.magic = 0x20756465,	/* "edu " */
	.version = 1,
	.size = sizeof(struct edu_state),
	.is_valid = is_valid,
};

/* --- Registers ---------------------------------------------------------------- */

/* A row of accesses that ends with its first error. */
struct access {
	struct edu_vfio_device *edu;
	int err;
	bool is_awake;
	u16 command;
};

static void __iomem *reg_of(struct access *access, unsigned int reg)
{
	return access->edu->core.barmap[EDU_BAR] + reg;
}

/*
 * The user's guest may keep the device's memory off, or the device asleep. What is
 * on for us is not on for the user: memory_lock keeps page faults and the user's
 * own writes to the command register away. It is taken when the device is awake,
 * since waking takes it, too.
 */
static void access_begin(struct access *access, struct edu_vfio_device *edu)
{
	struct pci_dev *pdev = edu->core.pdev;

	lockdep_assert_held(&edu->mig.lock);

	access->edu = edu;
	access->err = pm_runtime_resume_and_get(&pdev->dev);
	access->is_awake = !access->err;
	if (!access->is_awake)
		return;
	down_write(&edu->core.memory_lock);
	pci_read_config_word(pdev, PCI_COMMAND, &access->command);
	if (!(access->command & PCI_COMMAND_MEMORY))
		pci_write_config_word(pdev, PCI_COMMAND,
				      access->command | PCI_COMMAND_MEMORY);
}

static int access_end(struct access *access)
{
	struct pci_dev *pdev = access->edu->core.pdev;

	if (!access->is_awake)
		return access->err;
	if (!(access->command & PCI_COMMAND_MEMORY))
		pci_write_config_word(pdev, PCI_COMMAND, access->command);
	up_write(&access->edu->core.memory_lock);
	pm_runtime_put(&pdev->dev);
	return access->err;
}

/* Not by the core's accessors, which take memory_lock themselves. */
static u32 read32(struct access *access, unsigned int reg)
{
	return access->err ? 0 : readl(reg_of(access, reg));
}

static void write32(struct access *access, unsigned int reg, u32 value)
{
	if (!access->err)
		writel(value, reg_of(access, reg));
}

static u64 read64(struct access *access, unsigned int reg)
{
	return access->err ? 0 : readq(reg_of(access, reg));
}

static void write64(struct access *access, unsigned int reg, u64 value)
{
	if (!access->err)
		writeq(value, reg_of(access, reg));
}

/* Looks once more when time is up: who slept long may have missed it. */
static void wait_while(struct access *access, unsigned int reg, u32 bit)
{
	ktime_t end = ktime_add_ms(ktime_get(), WAIT_MS);
	bool is_over;
	u32 value;

	for (;;) {
		is_over = ktime_after(ktime_get(), end);
		value = reg < EDU_DMA_SOURCE ? read32(access, reg) :
					       read64(access, reg);
		if (access->err || !(value & bit))
			return;
		if (is_over)
			break;
		usleep_range(WAIT_US, 2 * WAIT_US);
	}
	access->err = -ETIMEDOUT;
}

/* --- The device's state --------------------------------------------------------- */

static int get_state(struct edu_vfio_device *edu, struct edu_state *state)
{
	struct access access;
	u32 status;

	access_begin(&access, edu);
	status = read32(&access, EDU_STATUS);
	state->irq_on_factorial = cpu_to_le32(!!(status & EDU_STATUS_IRQ));
	state->liveness = cpu_to_le32(read32(&access, EDU_LIVENESS));
	state->factorial = cpu_to_le32(read32(&access, EDU_FACTORIAL));
	/* With what was restored before and could not be raised yet. */
	state->irq_status = cpu_to_le32(read32(&access, EDU_IRQ_STATUS) |
					edu->mig.irq_status);
	state->dma_source = cpu_to_le64(read64(&access, EDU_DMA_SOURCE));
	state->dma_target = cpu_to_le64(read64(&access, EDU_DMA_TARGET));
	state->dma_count = cpu_to_le64(read64(&access, EDU_DMA_COUNT));
	return access_end(&access);
}

/* All but interrupts, which are kept for when the device runs. */
static int put_state(struct edu_vfio_device *edu, const struct edu_state *state)
{
	struct access access;

	access_begin(&access, edu);
	wait_while(&access, EDU_DMA_COMMAND, EDU_DMA_RUN);
	wait_while(&access, EDU_STATUS, EDU_STATUS_BUSY);

	/* Computing shall not interrupt this time. */
	write32(&access, EDU_STATUS, 0);
	write32(&access, EDU_FACTORIAL,
		inverse_factorial(le32_to_cpu(state->factorial)));
	wait_while(&access, EDU_STATUS, EDU_STATUS_BUSY);
	if (state->irq_on_factorial)
		write32(&access, EDU_STATUS, EDU_STATUS_IRQ);

	write32(&access, EDU_LIVENESS, ~le32_to_cpu(state->liveness));
	write64(&access, EDU_DMA_SOURCE, le64_to_cpu(state->dma_source));
	write64(&access, EDU_DMA_TARGET, le64_to_cpu(state->dma_target));
	write64(&access, EDU_DMA_COUNT, le64_to_cpu(state->dma_count));
	write32(&access, EDU_IRQ_ACK, ~0U);
	edu->mig.irq_status = le32_to_cpu(state->irq_status);
	return access_end(&access);
}

/* --- Arcs ------------------------------------------------------------------------- */

/* No transfer is under way, and none gets out. */
static int stop_dma(struct edu_vfio_device *edu)
{
	struct access access;

	access_begin(&access, edu);
	wait_while(&access, EDU_DMA_COMMAND, EDU_DMA_RUN);
	if (!access.err) {
		edu->mig.was_master = access.command & PCI_COMMAND_MASTER;
		pci_clear_master(edu->core.pdev);
		access.command &= ~PCI_COMMAND_MASTER;
	}
	return access_end(&access);
}

static void give_bus_back(struct edu_vfio_device *edu)
{
	guard(rwsem_write)(&edu->core.memory_lock);

	if (edu->mig.was_master)
		pci_set_master(edu->core.pdev);
	edu->mig.was_master = false;
}

/* MSI are transfers, too: the bus first. */
static int start_dma(struct edu_vfio_device *edu)
{
	struct access access;

	give_bus_back(edu);
	access_begin(&access, edu);
	if (edu->mig.irq_status)
		write32(&access, EDU_IRQ_RAISE, edu->mig.irq_status);
	edu->mig.irq_status = 0;
	return access_end(&access);
}

static int stop_computing(struct edu_vfio_device *edu)
{
	struct access access;

	access_begin(&access, edu);
	wait_while(&access, EDU_STATUS, EDU_STATUS_BUSY);
	return access_end(&access);
}

static void end_stream(struct edu_vfio_device *edu)
{
	if (edu->mig.stream)
		sample_stream_end(edu->mig.stream);
	edu->mig.stream = NULL;
}

static struct file *begin_session(struct edu_vfio_device *edu,
				  struct sample_stream *stream)
{
	struct file *file;

	if (!stream)
		return ERR_PTR(-ENOMEM);

	file = sample_stream_file(stream);
	if (IS_ERR(file))
		sample_stream_end(stream);
	else
		edu->mig.stream = stream;
	return file;
}

static struct file *save(struct edu_vfio_device *edu)
{
	struct sample_stream *stream;
	struct edu_state state;
	int ret;

	ret = get_state(edu, &state);
	if (ret)
		return ERR_PTR(ret);
	/* What nobody would accept is not sent. */
	if (!is_valid(&state, 0))
		return ERR_PTR(-EIO);

	stream = sample_stream_save(&edu_format, 0, &state);
	if (stream)
		sample_stream_finish(stream, &state);
	return begin_session(edu, stream);
}

static struct file *begin_restoring(struct edu_vfio_device *edu)
{
	return begin_session(edu, sample_stream_restore(&edu_format, 0));
}

static int finish_restoring(struct edu_vfio_device *edu)
{
	const struct edu_state *state = sample_stream_restored(edu->mig.stream);
	int ret = state ? put_state(edu, state) : -EINVAL;

	end_stream(edu);
	if (ret)
		edu->mig.state = VFIO_DEVICE_STATE_ERROR;
	return ret;
}

#define ARC(from, to) \
	(VFIO_DEVICE_STATE_##from << 8 | VFIO_DEVICE_STATE_##to)

static struct file *perform_arc(struct vfio_device *vdev,
				enum vfio_device_mig_state next)
{
	struct edu_vfio_device *edu = vdev_to_edu(vdev);

	switch (edu->mig.state << 8 | next) {
	case ARC(RUNNING, RUNNING_P2P):
		return ERR_PTR(stop_dma(edu));
	case ARC(RUNNING_P2P, RUNNING):
		return ERR_PTR(start_dma(edu));
	case ARC(RUNNING_P2P, STOP):
		return ERR_PTR(stop_computing(edu));
	case ARC(STOP, RUNNING_P2P):
		return NULL;
	case ARC(STOP, STOP_COPY):
		return save(edu);
	case ARC(STOP_COPY, STOP):
		end_stream(edu);
		return NULL;
	case ARC(STOP, RESUMING):
		return begin_restoring(edu);
	case ARC(RESUMING, STOP):
		return ERR_PTR(finish_restoring(edu));
	default:
		WARN_ON_ONCE(1);
		return ERR_PTR(-EINVAL);
	}
}

/* --- Resets ------------------------------------------------------------------------ */

/* The device is as new, and out of ERROR if it obeys. */
static void start_anew(struct edu_vfio_device *edu)
{
	static const struct edu_state initial;

	lockdep_assert_held(&edu->mig.lock);

	end_stream(edu);
	give_bus_back(edu);
	edu->mig.state = put_state(edu, &initial) ? VFIO_DEVICE_STATE_ERROR :
						    VFIO_DEVICE_STATE_RUNNING;
}

/* Everybody takes the lock by this. */
static void migration_lock(struct edu_vfio_device *edu)
{
	mutex_lock(&edu->mig.lock);
	if (test_and_clear_bit(0, &edu->mig.was_reset) && edu->mig.is_open)
		start_anew(edu);
}

static void migration_unlock(struct edu_vfio_device *edu)
{
	mutex_unlock(&edu->mig.lock);
}

static void take_note_of_reset(struct edu_vfio_device *edu)
{
	if (!test_bit(0, &edu->mig.was_reset))
		return;
	migration_lock(edu);
	migration_unlock(edu);
}

static void after_reset(struct work_struct *work)
{
	take_note_of_reset(container_of(work, struct edu_vfio_device,
					mig.after_reset));
}

/* Any lock may be held, and the device not be open. */
static void edu_reset_done(struct pci_dev *pdev)
{
	struct edu_vfio_device *edu = to_edu(pci_get_drvdata(pdev));

	set_bit(0, &edu->mig.was_reset);
	schedule_work(&edu->mig.after_reset);
}

const struct pci_error_handlers edu_migration_err_handlers = {
	.reset_done = edu_reset_done,
	.error_detected = vfio_pci_core_aer_err_detected,
};

/* --- Operations ---------------------------------------------------------------------- */

static struct file *edu_set_state(struct vfio_device *vdev,
				  enum vfio_device_mig_state target)
{
	struct edu_vfio_device *edu = vdev_to_edu(vdev);
	struct file *file;

	migration_lock(edu);
	file = sample_migration_walk(vdev, &edu->mig.state, target, perform_arc);
	migration_unlock(edu);
	return file;
}

static int edu_get_state(struct vfio_device *vdev,
			 enum vfio_device_mig_state *state)
{
	struct edu_vfio_device *edu = vdev_to_edu(vdev);

	migration_lock(edu);
	*state = edu->mig.state;
	migration_unlock(edu);
	return 0;
}

static int edu_get_data_size(struct vfio_device *vdev, unsigned long *length)
{
	*length = sample_stream_length(&edu_format);
	return 0;
}

static const struct vfio_migration_ops edu_migration_ops = {
	.migration_set_state = edu_set_state,
	.migration_get_state = edu_get_state,
	.migration_get_data_size = edu_get_data_size,
};

/* Before the device is registered. */
void edu_migration_init(struct edu_vfio_device *edu)
{
	struct vfio_device *vdev = &edu->core.vdev;

	mutex_init(&edu->mig.lock);
	INIT_WORK(&edu->mig.after_reset, after_reset);
	edu->mig.state = VFIO_DEVICE_STATE_RUNNING;
	vdev->migration_flags = VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P;
	vdev->mig_ops = &edu_migration_ops;
}

/* After the device was unbound: nobody tells of resets any more. */
void edu_migration_destroy(struct edu_vfio_device *edu)
{
	cancel_work_sync(&edu->mig.after_reset);
	mutex_destroy(&edu->mig.lock);
}

/* The core has enabled the device, and nobody can use it yet. */
int edu_migration_open(struct edu_vfio_device *edu)
{
	int ret;

	mutex_lock(&edu->mig.lock);
	clear_bit(0, &edu->mig.was_reset);
	edu->mig.is_open = true;
	start_anew(edu);
	ret = edu->mig.state == VFIO_DEVICE_STATE_ERROR ? -EIO : 0;
	edu->mig.is_open = !ret;
	mutex_unlock(&edu->mig.lock);
	return ret;
}

/* Nobody uses it any more; before the core turns it off. */
void edu_migration_close_device(struct vfio_device *vdev)
{
	struct edu_vfio_device *edu = vdev_to_edu(vdev);

	mutex_lock(&edu->mig.lock);
	edu->mig.is_open = false;
	end_stream(edu);
	edu->mig.state = VFIO_DEVICE_STATE_RUNNING;
	edu->mig.was_master = false;
	edu->mig.irq_status = 0;
	mutex_unlock(&edu->mig.lock);

	vfio_pci_core_close_device(vdev);
}

/* Some of the core's commands reset the device: the user finds it new. */
long edu_migration_ioctl(struct vfio_device *vdev, unsigned int cmd,
			 unsigned long arg)
{
	long ret = vfio_pci_core_ioctl(vdev, cmd, arg);

	take_note_of_reset(vdev_to_edu(vdev));
	return ret;
}
