"""The explorers whose cells need PyTorch, and what they are made with instead where there is none."""
RECORDED = {"backward_stepper(by_torch)": 'backward_stepper(answers("backward_stepper"))',
            "pooling_stepper(by_torch)": 'pooling_stepper(answers("pooling_stepper"))',
            "derivative_viewer(by_torch)": 'derivative_viewer(answers("derivative_viewer"))',
            "backprop_stepper(by_torch)": 'backprop_stepper(answers("backprop_stepper"))',
            "gradient_over_steps({k: records[k] for k in range(0, 45, 4)})": "gradient_over_steps(hooks())",
            "layer_viewer(trained, X_test, y_test)": "layer_viewer(*stored_training())",
            "wrong_digits(X_test, y_test, scores)": "wrong_digits(*stored_scores())"}
