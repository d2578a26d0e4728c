//! What must hold when something fails: processes, brokers, data.
