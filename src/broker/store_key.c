#include "broker/broker_state.h"

void broker_rekey_store(struct broker *broker, store_done *done, void *context)
{
    broker->store->operations->rekey(broker->store, done, context);
}

void broker_store_key_state(struct broker *broker, struct store_key_state *ret_state)
{
    broker->store->operations->key_state(broker->store, ret_state);
}
