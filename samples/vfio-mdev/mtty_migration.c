// SPDX-License-Identifier: GPL-2.0-only
/*
 * How an mtty card moves to another machine: an example of VFIO migration.
 *
 * The core walks from any state to any other and asks for single arcs, see
 * "Migration" in Documentation/driver-api/vfio.rst; all that exist are in
 * perform_arc(). The card is so small that its whole state is one struct, so
 * that streams are left to stream.c; a driver of a real device has most of its
 * work there.
 *
 * What is restored comes from strangers. It is collected aside, checked, and
 * taken over only when all of it is valid: otherwise the card is in ERROR and
 * what it was before does not matter, since only a reset leads out of there.
 */
#include <linux/build_bug.h>
#include <linux/file.h>

#include "mtty.h"
#include "stream.h"

/* All of it are bytes, alike on all machines. */
struct mtty_state {
	u8 config[SAMPLE_PCI_CONFIG_SIZE];
	struct uart uarts[MTTY_MAX_PORTS];
};

static_assert(sizeof(struct uart) == 11 + UART_FIFO_SIZE);

/* A card of one port has the other one's bytes all zero. */
static bool is_valid(const void *data, u32 ports)
{
	const struct mtty_state *state = data;
	unsigned int i;

	for (i = 0; i < MTTY_MAX_PORTS; i++) {
		if (!uart_is_valid(&state->uarts[i]))
			return false;
		if (i >= ports && memchr_inv(&state->uarts[i], 0,
					     sizeof(struct uart)))
			return false;
	}
	return true;
}

const struct sample_format mtty_format = {
	.magic = 0x7974746d,	/* "mtty" */
	.version = 1,
	.size = sizeof(struct mtty_state),
	.is_valid = is_valid,
};

/* --- Saving and restoring ----------------------------------------------------------- */

static struct mtty_state state_of(const struct mtty *mtty)
{
	struct mtty_state state;

	memcpy(state.config, mtty->pci.config, sizeof(state.config));
	memcpy(state.uarts, mtty->uarts, sizeof(state.uarts));
	return state;
}

static void end_stream(struct mtty *mtty)
{
	if (mtty->stream)
		sample_stream_end(mtty->stream);
	mtty->stream = NULL;
}

static struct file *begin_session(struct mtty *mtty,
				  struct sample_stream *stream)
{
	struct file *file;

	if (!stream)
		return ERR_PTR(-ENOMEM);

	file = sample_stream_file(stream);
	if (IS_ERR(file))
		sample_stream_end(stream);
	else
		mtty->stream = stream;
	return file;
}

/* The card runs on: what changes is sent again. */
static struct file *begin_saving(struct mtty *mtty)
{
	struct mtty_state state = state_of(mtty);

	return begin_session(mtty, sample_stream_save(&mtty_format, mtty->ports,
						      &state));
}

/* The card is stopped. */
static void finish_saving(struct mtty *mtty)
{
	struct mtty_state state = state_of(mtty);

	sample_stream_finish(mtty->stream, &state);
}

static struct file *save_all(struct mtty *mtty)
{
	struct mtty_state state = state_of(mtty);
	struct sample_stream *stream = sample_stream_save(&mtty_format,
							  mtty->ports, &state);

	if (stream)
		sample_stream_finish(stream, &state);
	return begin_session(mtty, stream);
}

/* A register was read or written. */
void mtty_migration_changed(struct mtty *mtty)
{
	struct mtty_state state;

	lockdep_assert_held(&mtty->pci.lock);

	if (mtty->mig_state != VFIO_DEVICE_STATE_PRE_COPY &&
	    mtty->mig_state != VFIO_DEVICE_STATE_PRE_COPY_P2P)
		return;
	state = state_of(mtty);
	sample_stream_update(mtty->stream, &state);
}

static struct file *begin_restoring(struct mtty *mtty)
{
	return begin_session(mtty, sample_stream_restore(&mtty_format,
							 mtty->ports));
}

static int finish_restoring(struct mtty *mtty)
{
	const struct mtty_state *state = sample_stream_restored(mtty->stream);
	int ret = -EINVAL;

	if (state) {
		sample_pci_config_load(&mtty->pci, state->config);
		memcpy(mtty->uarts, state->uarts, sizeof(mtty->uarts));
		ret = 0;
	}
	end_stream(mtty);
	if (ret)
		mtty->mig_state = VFIO_DEVICE_STATE_ERROR;
	return ret;
}

/* --- States -------------------------------------------------------------------------- */

#define ARC(from, to) \
	(VFIO_DEVICE_STATE_##from << 8 | VFIO_DEVICE_STATE_##to)

/* A card does no DMA, so that it obeys the rules of P2P by being what it is. */
static struct file *perform_arc(struct vfio_device *vdev,
				enum vfio_device_mig_state next)
{
	struct mtty *mtty = to_mtty(to_sample_pci(vdev));

	switch (mtty->mig_state << 8 | next) {
	case ARC(RUNNING, RUNNING_P2P):
	case ARC(RUNNING_P2P, RUNNING):
	case ARC(PRE_COPY, PRE_COPY_P2P):
	case ARC(PRE_COPY_P2P, PRE_COPY):
		return NULL;

	case ARC(RUNNING_P2P, STOP):
		mtty->pci.is_running = false;
		return NULL;

	case ARC(STOP, RUNNING_P2P):
		mtty->pci.is_running = true;
		sample_pci_update_irq(&mtty->pci);
		return NULL;

	case ARC(RUNNING, PRE_COPY):
	case ARC(RUNNING_P2P, PRE_COPY_P2P):
		return begin_saving(mtty);

	case ARC(PRE_COPY_P2P, STOP_COPY):
		mtty->pci.is_running = false;
		finish_saving(mtty);
		return NULL;

	case ARC(STOP, STOP_COPY):
		return save_all(mtty);

	case ARC(PRE_COPY, RUNNING):
	case ARC(PRE_COPY_P2P, RUNNING_P2P):
	case ARC(STOP_COPY, STOP):
		end_stream(mtty);
		return NULL;

	case ARC(STOP, RESUMING):
		return begin_restoring(mtty);

	case ARC(RESUMING, STOP):
		return ERR_PTR(finish_restoring(mtty));

	default:
		WARN_ON_ONCE(1);
		return ERR_PTR(-EINVAL);
	}
}

static int mtty_get_data_size(struct vfio_device *vdev, unsigned long *length)
{
	*length = sample_stream_length(&mtty_format);
	return 0;
}

static struct file *mtty_set_state(struct vfio_device *vdev,
				   enum vfio_device_mig_state target)
{
	struct mtty *mtty = to_mtty(to_sample_pci(vdev));

	guard(mutex)(&mtty->pci.lock);

	return sample_migration_walk(vdev, &mtty->mig_state, target,
				     perform_arc);
}

static int mtty_get_state(struct vfio_device *vdev,
			  enum vfio_device_mig_state *state)
{
	struct mtty *mtty = to_mtty(to_sample_pci(vdev));

	guard(mutex)(&mtty->pci.lock);

	*state = mtty->mig_state;
	return 0;
}

static const struct vfio_migration_ops mtty_migration_ops = {
	.migration_get_data_size = mtty_get_data_size,
	.migration_set_state = mtty_set_state,
	.migration_get_state = mtty_get_state,
};

/* --- Logging of DMA -------------------------------------------------------------------- */

/*
 * A device that writes memory tells what it wrote, so that a monitor knows which
 * memory to send again. A serial card writes none: all there is to say is "none".
 */
static int mtty_log_start(struct vfio_device *vdev,
			  struct rb_root_cached *ranges, u32 nnodes,
			  u64 *page_size)
{
	struct mtty *mtty = to_mtty(to_sample_pci(vdev));

	guard(mutex)(&mtty->pci.lock);

	if (mtty->is_logging)
		return -EBUSY;
	mtty->is_logging = true;
	return 0;
}

static int mtty_log_stop(struct vfio_device *vdev)
{
	struct mtty *mtty = to_mtty(to_sample_pci(vdev));

	guard(mutex)(&mtty->pci.lock);

	mtty->is_logging = false;
	return 0;
}

static int mtty_log_read_and_clear(struct vfio_device *vdev,
				   unsigned long iova, unsigned long length,
				   struct iova_bitmap *dirty)
{
	struct mtty *mtty = to_mtty(to_sample_pci(vdev));

	guard(mutex)(&mtty->pci.lock);

	return mtty->is_logging ? 0 : -EINVAL;
}

static const struct vfio_log_ops mtty_log_ops = {
	.log_start = mtty_log_start,
	.log_stop = mtty_log_stop,
	.log_read_and_clear = mtty_log_read_and_clear,
};

/* --- For mtty_main.c --------------------------------------------------------------------- */

/* Before the card is registered. */
void mtty_migration_init(struct mtty *mtty)
{
	struct vfio_device *vdev = &mtty->pci.vdev;

	mtty->mig_state = VFIO_DEVICE_STATE_RUNNING;
	vdev->migration_flags = VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P |
				VFIO_MIGRATION_PRE_COPY;
	vdev->mig_ops = &mtty_migration_ops;
	vdev->log_ops = &mtty_log_ops;
}

/*
 * A reset leads to RUNNING from anywhere, ERROR included; so does closing. What
 * is logged is the monitor's business and not the device's: a guest that reboots
 * while it moves resets its devices.
 */
void mtty_migration_reset(struct mtty *mtty)
{
	lockdep_assert_held(&mtty->pci.lock);

	end_stream(mtty);
	mtty->mig_state = VFIO_DEVICE_STATE_RUNNING;
}

/* Nobody has the card open any more. */
void mtty_migration_close(struct mtty *mtty)
{
	guard(mutex)(&mtty->pci.lock);

	mtty->is_logging = false;
}
