// SPDX-License-Identifier: GPL-2.0-only
/*
 * How an mtty card moves to another machine: an example of VFIO migration.
 *
 * The core walks from any state to any other and asks for single arcs, see
 * "Migration" in Documentation/driver-api/vfio.rst; all that exist are in
 * set_state_step(). The card is so small that its whole state is one record:
 *
 *	IDENT, STATE...; END
 *
 * IDENT says whose stream this is, so that a wrong one is refused before the
 * source is stopped. A STATE is the whole card; each takes the place of the one
 * before. In PRE_COPY one is sent at first, and again when the card has changed
 * since; the one that counts is sent after the card was stopped. END tells a whole
 * stream from one that was cut off.
 *
 * What is restored comes from strangers. It is collected aside, checked, and
 * taken over only when all of it is valid: otherwise the card is in ERROR and
 * what it was before does not matter, since only a reset leads out of there.
 */
#include <linux/build_bug.h>
#include <linux/file.h>
#include <linux/slab.h>

#include "mtty.h"

#define MTTY_MAGIC	0x7974746d	/* "mtty" */
#define MTTY_VERSION	1

enum mtty_record {
	MTTY_IDENT = 1,
	MTTY_STATE,
	MTTY_END,
};

/* What both ends must agree on. */
struct mtty_ident {
	__le32 magic;
	__le32 version;
	__le32 ports;
};

/* All of it are bytes, alike on all machines. */
struct mtty_state {
	u8 config[SAMPLE_PCI_CONFIG_SIZE];
	struct uart uarts[MTTY_MAX_PORTS];
};

static_assert(sizeof(struct uart) == 11 + UART_FIFO_SIZE);

/* What came by a stream so far. */
struct mtty_restored {
	struct mtty_ident ident;
	struct mtty_state state;
	bool has_ident;
	bool has_state;
	bool is_complete;
};

/* --- Saving ------------------------------------------------------------------------ */

static struct mtty_ident own_ident(const struct mtty *mtty)
{
	return (struct mtty_ident){
		.magic = cpu_to_le32(MTTY_MAGIC),
		.version = cpu_to_le32(MTTY_VERSION),
		.ports = cpu_to_le32(mtty->ports),
	};
}

static int push_state(struct mtty *mtty)
{
	struct mtty_state state;

	memcpy(state.config, mtty->pci.config, sizeof(state.config));
	memcpy(state.uarts, mtty->uarts, sizeof(state.uarts));
	return sample_stream_push(mtty->stream, MTTY_STATE, &state,
				  sizeof(state), true);
}

/* The card is stopped: its last state, and the end. */
static int push_rest(struct mtty *mtty)
{
	int ret = push_state(mtty);

	if (!ret)
		ret = sample_stream_push(mtty->stream, MTTY_END, NULL, 0, false);
	if (!ret)
		sample_stream_finish(mtty->stream);
	return ret;
}

static void end_stream(struct mtty *mtty)
{
	if (mtty->stream)
		sample_stream_end(mtty->stream);
	mtty->stream = NULL;
}

static struct file *begin_saving(struct mtty *mtty, bool is_stopped)
{
	struct mtty_ident ident = own_ident(mtty);
	struct file *file;
	int ret;

	mtty->stream = sample_stream_save();
	if (IS_ERR(mtty->stream)) {
		ret = PTR_ERR(mtty->stream);
		mtty->stream = NULL;
		return ERR_PTR(ret);
	}

	ret = sample_stream_push(mtty->stream, MTTY_IDENT, &ident,
				 sizeof(ident), false);
	if (!ret)
		ret = is_stopped ? push_rest(mtty) : push_state(mtty);
	if (ret)
		goto out_end;

	file = sample_stream_file(mtty->stream);
	if (!IS_ERR(file))
		return file;
	ret = PTR_ERR(file);

out_end:
	end_stream(mtty);
	return ERR_PTR(ret);
}

/* A register was read or written. */
void mtty_migration_changed(struct mtty *mtty)
{
	lockdep_assert_held(&mtty->pci.lock);

	if (mtty->mig_state == VFIO_DEVICE_STATE_PRE_COPY ||
	    mtty->mig_state == VFIO_DEVICE_STATE_PRE_COPY_P2P)
		WARN_ON_ONCE(push_state(mtty));
}

/* --- Restoring ---------------------------------------------------------------------- */

static int accept_ident(struct mtty_restored *restored, const void *data)
{
	memcpy(&restored->ident, data, sizeof(restored->ident));
	if (restored->has_ident ||
	    restored->ident.magic != cpu_to_le32(MTTY_MAGIC) ||
	    restored->ident.version != cpu_to_le32(MTTY_VERSION))
		return -EINVAL;
	restored->has_ident = true;
	return 0;
}

static int accept_state(struct mtty_restored *restored, const void *data)
{
	unsigned int i;

	memcpy(&restored->state, data, sizeof(restored->state));
	for (i = 0; i < MTTY_MAX_PORTS; i++)
		if (!uart_is_valid(&restored->state.uarts[i]))
			return -EINVAL;
	restored->has_state = true;
	return 0;
}

static int accept_record(void *into, u32 type, const void *data, u32 length)
{
	struct mtty_restored *restored = into;

	bool is_ident = type == MTTY_IDENT;

	/* The first is IDENT, and behind END there is nothing. */
	if (restored->is_complete || restored->has_ident == is_ident)
		return -EINVAL;

	switch (type) {
	case MTTY_IDENT:
		if (length != sizeof(restored->ident))
			return -EINVAL;
		return accept_ident(restored, data);
	case MTTY_STATE:
		if (length != sizeof(restored->state))
			return -EINVAL;
		return accept_state(restored, data);
	case MTTY_END:
		if (length || !restored->has_state)
			return -EINVAL;
		restored->is_complete = true;
		return 0;
	default:
		return -EINVAL;
	}
}

static struct file *begin_restoring(struct mtty *mtty)
{
	struct file *file;

	mtty->stream = sample_stream_restore(accept_record,
					     sizeof(struct mtty_restored));
	if (IS_ERR(mtty->stream)) {
		file = ERR_CAST(mtty->stream);
		mtty->stream = NULL;
		return file;
	}

	file = sample_stream_file(mtty->stream);
	if (IS_ERR(file))
		end_stream(mtty);
	return file;
}

/* A card of one port has the other one's bytes all zero. */
static bool fits(const struct mtty *mtty, const struct mtty_restored *restored)
{
	unsigned int i;

	if (!restored || !restored->is_complete ||
	    le32_to_cpu(restored->ident.ports) != mtty->ports)
		return false;
	for (i = mtty->ports; i < MTTY_MAX_PORTS; i++)
		if (memchr_inv(&restored->state.uarts[i], 0,
			       sizeof(struct uart)))
			return false;
	return true;
}

static int finish_restoring(struct mtty *mtty)
{
	const struct mtty_restored *restored;
	int ret = -EINVAL;

	restored = sample_stream_restored(mtty->stream);
	if (fits(mtty, restored)) {
		sample_pci_config_load(&mtty->pci, restored->state.config);
		memcpy(mtty->uarts, restored->state.uarts,
		       sizeof(mtty->uarts));
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
static struct file *set_state_step(struct mtty *mtty,
				   enum vfio_device_mig_state next)
{
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
		return begin_saving(mtty, false);

	case ARC(PRE_COPY_P2P, STOP_COPY):
		mtty->pci.is_running = false;
		return ERR_PTR(push_rest(mtty));

	case ARC(STOP, STOP_COPY):
		return begin_saving(mtty, true);

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

static struct file *mtty_set_state(struct vfio_device *vdev,
				   enum vfio_device_mig_state target)
{
	struct mtty *mtty = to_mtty(to_sample_pci(vdev));
	enum vfio_device_mig_state next;
	struct file *file = NULL;
	int ret;

	guard(mutex)(&mtty->pci.lock);

	while (mtty->mig_state != target) {
		ret = vfio_mig_get_next_state(vdev, mtty->mig_state, target,
					      &next);
		if (ret)
			return ERR_PTR(ret);
		file = set_state_step(mtty, next);
		if (IS_ERR(file))
			return file;
		mtty->mig_state = next;
		/* Sessions begin with the last arc only. */
		if (WARN_ON_ONCE(file && next != target)) {
			fput(file);
			return ERR_PTR(-EINVAL);
		}
	}
	return file;
}

static int mtty_get_state(struct vfio_device *vdev,
			  enum vfio_device_mig_state *state)
{
	struct mtty *mtty = to_mtty(to_sample_pci(vdev));

	guard(mutex)(&mtty->pci.lock);

	*state = mtty->mig_state;
	return 0;
}

static int mtty_get_data_size(struct vfio_device *vdev, unsigned long *length)
{
	*length = 3 * sizeof(struct sample_record) + sizeof(struct mtty_ident) +
		  sizeof(struct mtty_state);
	return 0;
}

static const struct vfio_migration_ops mtty_migration_ops = {
	.migration_set_state = mtty_set_state,
	.migration_get_state = mtty_get_state,
	.migration_get_data_size = mtty_get_data_size,
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

/* A reset leads to RUNNING from anywhere, ERROR included; so does closing. */
void mtty_migration_reset(struct mtty *mtty)
{
	lockdep_assert_held(&mtty->pci.lock);

	end_stream(mtty);
	mtty->mig_state = VFIO_DEVICE_STATE_RUNNING;
	mtty->is_logging = false;
}
